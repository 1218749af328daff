//! Methods that ask a backend.

/// Methods of a trait, as its signatures say, each of which asks the same of whichever backend it is. A backend is a line for each of the
/// two kinds of methods here: those that are waited for, and behind them those that are not.
macro_rules! ask_backend {
    ($(async fn $asked:ident(&self $(, $question:ident: $of:ty)*) -> $answer:ty;)*
     $(fn $told:ident(&self $(, $about:ident: $what:ty)*) $(-> $known:ty)?;)*) => {
        $(async fn $asked(&self $(, $question: $of)*) -> $answer {
            match self {
                Self::Sqlite(backend) => backend.$asked($($question),*).await,
            }
        })*
        $(fn $told(&self $(, $about: $what)*) $(-> $known)? {
            match self {
                Self::Sqlite(backend) => backend.$told($($about),*),
            }
        })*
    };
}
