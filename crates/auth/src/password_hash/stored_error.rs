//! Why a stored hash can't be used.

use thiserror::Error;

/// Why a hash can't be used. It says nothing of the hash itself.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum StoredError {
    #[error("the password hash is malformed")]
    Malformed,
    #[error("the password hash is of a scheme that is not known here")]
    UnknownScheme,
    #[error("the password hash asks for more memory or time than is allowed")]
    TooCostly,
    #[error("the password is there in plain text")]
    Clear,
}
