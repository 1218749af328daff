//! What seals secrets: one of the master keys, with the others to open what they have sealed.

use std::sync::Arc;

use store::{Resealed, SealedPlace};
use types::Secret;

use crate::keys::key::Key;
use crate::keys::master_key::MasterKeys;
use crate::keys::seal::{self, SealError};

/// Seals secrets under one master key.
pub struct Sealer {
    masters: Arc<MasterKeys>,
    number: u32,
    key: Key,
}

impl Sealer {
    /// Seals under the key with this number, if it is there.
    pub(crate) fn of(masters: Arc<MasterKeys>, number: u32) -> Option<Self> {
        let key = masters.key(number)?.clone();
        Some(Self { masters, number, key })
    }

    /// Seals under the newest of these keys.
    pub(crate) fn newest(masters: Arc<MasterKeys>) -> Self {
        let (number, key) = masters.newest_key();
        Self { number, key: key.clone(), masters }
    }

    /// The number of the key.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Seals a secret for its place in the store.
    #[must_use]
    pub fn seal(&self, place: SealedPlace, secret: &Secret) -> Vec<u8> {
        seal::seal((self.number, &self.key), place, secret)
    }

    /// The secret sealed under this key, or `None` if it is already.
    ///
    /// # Errors
    /// When it does not open.
    pub fn reseal(&self, place: SealedPlace, sealed: &[u8]) -> Result<Option<Resealed>, SealError> {
        let secret = seal::open(&self.masters, place, sealed)?;
        if seal::sealed_under(sealed)? == self.number {
            return Ok(None);
        }
        Ok(Some(Resealed { place, old: sealed.to_vec(), new: self.seal(place, &secret) }))
    }
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer(…)")
    }
}
