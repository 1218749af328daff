//! Hashes that other servers made. Each is checked until its owner's first login; then the password is hashed anew.

mod crypt;
mod digest;
mod md5_crypt;
mod pbkdf2;
pub(crate) mod written;

use crate::password_hash::effort::Effort;
use crate::password_hash::stored_error::StoredError;
use crypt::Crypt;
use digest::Digest;
use pbkdf2::Pbkdf2;
use written::{Scheme, Written};

/// A hash to check a password against, but for Argon2.
pub(crate) enum ForeignHash {
    Crypt(Crypt),
    Pbkdf2(Pbkdf2),
    Digest(Digest),
}

impl ForeignHash {
    pub(crate) fn parse(written: &Written<'_>) -> Result<Self, StoredError> {
        match written.scheme {
            Scheme::Crypt if written.rest.starts_with("$pbkdf2") => {
                Pbkdf2::phc(written.rest).map(Self::Pbkdf2)
            }
            Scheme::Crypt => Crypt::parse(written.rest).map(Self::Crypt),
            Scheme::Pbkdf2 => Pbkdf2::dovecot(written.rest).map(Self::Pbkdf2),
            Scheme::Salted(algorithm) => Digest::salted(algorithm, &written.decoded()?).map(Self::Digest),
            Scheme::Bare(algorithm) => Digest::bare(algorithm, written.digest(algorithm)?).map(Self::Digest),
            Scheme::Clear => Err(StoredError::Clear),
        }
    }

    /// What a check costs.
    pub(crate) fn effort(&self) -> Effort {
        match self {
            Self::Crypt(crypt) => crypt.effort(),
            Self::Pbkdf2(pbkdf2) => pbkdf2.effort(),
            Self::Digest(_) => Effort { kind: "digest", work: 1 },
        }
    }

    /// Whether `password` has this hash. Costs what the hash says, whatever the answer.
    pub(crate) fn matches(&self, password: &[u8]) -> Option<bool> {
        match self {
            Self::Crypt(crypt) => crypt.matches(password),
            Self::Pbkdf2(pbkdf2) => Some(pbkdf2.matches(password)),
            Self::Digest(digest) => Some(digest.matches(password)),
        }
    }
}

#[cfg(test)]
mod tests;
