//! The hash of a password as it is stored: ours, or one that was imported from another server.

use std::cmp::Ordering;

use types::Secret;

use crate::password_hash::effort::Effort;
use crate::password_hash::foreign::ForeignHash;
use crate::password_hash::foreign::written::{Scheme, Written};
use crate::password_hash::phc::{Cost, Phc};
use crate::password_hash::stored_error::StoredError;

/// More than any hash that is known here takes. What is longer was not made by a server.
const OCTETS: usize = 512;

/// A hash to check a password against.
pub(crate) enum StoredHash {
    Argon2(Phc),
    Foreign(ForeignHash),
}

impl StoredHash {
    /// Reads a PHC string, a hash as crypt(3) writes it, or `{SCHEME}…` as Dovecot does.
    pub(crate) fn parse(text: &str) -> Result<Self, StoredError> {
        if text.len() > OCTETS {
            return Err(StoredError::Malformed);
        }
        let written = Written::parse(text)?;
        match written.scheme {
            Scheme::Crypt if written.rest.starts_with("$argon2") => {
                Phc::parse(written.rest).map(Self::Argon2)
            }
            _ => ForeignHash::parse(&written).map(Self::Foreign),
        }
    }

    /// What a check costs.
    pub(crate) fn effort(&self) -> Effort {
        match self {
            Self::Argon2(phc) => Effort { kind: Effort::ARGON2, work: phc.work() },
            Self::Foreign(foreign) => foreign.effort(),
        }
    }

    /// How the work of a check compares with that of our own hashes at this cost. A hash that is not Argon2 counts as weaker.
    pub(crate) fn against(&self, cost: Cost) -> Ordering {
        match self {
            Self::Argon2(phc) => phc.work().cmp(&cost.work()),
            Self::Foreign(_) => Ordering::Less,
        }
    }
}

/// What another server had for a password.
#[derive(Debug)]
pub enum ImportedPassword {
    /// A hash, as it is to be stored.
    Hash(String),
    /// The password itself.
    Clear(Secret),
}

impl ImportedPassword {
    /// Reads what another server had, and makes sure that it can be used here. What names no scheme is of the scheme
    /// `default`, but for hashes in crypt(3)'s form, which say themselves what they are.
    ///
    /// # Errors
    /// When it can't be used; then it must not be stored.
    pub fn parse(text: &str, default: &str) -> Result<Self, StoredError> {
        let of_default = Written::of_scheme(default, text)?;
        let says_itself = text.starts_with('$') && of_default.scheme != Scheme::Clear;
        let written = if text.starts_with('{') || says_itself { Written::parse(text)? } else { of_default };
        match written.scheme {
            Scheme::Clear => Ok(Self::Clear(Secret::new(written.clear()?))),
            Scheme::Crypt => Self::hash(written.rest.to_owned()),
            _ if text.starts_with('{') => Self::hash(text.to_owned()),
            _ => Self::hash(format!("{{{default}}}{text}")),
        }
    }

    fn hash(text: String) -> Result<Self, StoredError> {
        StoredHash::parse(&text).map(|_| Self::Hash(text))
    }
}
