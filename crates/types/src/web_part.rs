//! The parts of the pages, of which a listener serves those that it is told to.

/// A part of the pages.
///
/// Exhaustive: what a listener shows to whoever can reach it must not be decided by an arm for everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WebPart {
    /// Those of one's own account.
    Account,
    /// Those of administration.
    Admin,
}

impl WebPart {
    /// Every part.
    pub const ALL: [Self; 2] = [Self::Account, Self::Admin];

    /// The part as it is written in a configuration.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Admin => "admin",
        }
    }
}
