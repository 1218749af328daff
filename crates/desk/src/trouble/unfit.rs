//! Passwords that can't be one.

use auth::PASSWORD_OCTETS;

/// Why no mail program could send a password, or nobody type it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// There is nothing of it.
    #[error("the password is empty; give at least one character")]
    Empty,
    /// It is too long.
    #[error("the password is longer than {PASSWORD_OCTETS} octets; give a shorter one")]
    TooLong,
    /// It is not one line of text (RFC 4616 section 2).
    #[error("the password has a line end or a NUL in it; give one line of text")]
    NotOneLine,
    /// It is not in UTF-8 (RFC 4616 section 2).
    #[error("the password is not in UTF-8, as mail programs send it; set the terminal or the pipe to UTF-8")]
    NotUtf8,
}
