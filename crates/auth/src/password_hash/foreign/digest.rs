//! Digests of a password, with a salt or without: `{SSHA512}`, `{SHA256}` and their like.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;

use crate::password_hash::stored_error::StoredError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    pub(super) fn octets(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    fn of(self, password: &[u8], salt: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::new().chain_update(password).chain_update(salt).finalize().to_vec(),
            Self::Sha1 => Sha1::new().chain_update(password).chain_update(salt).finalize().to_vec(),
            Self::Sha256 => Sha256::new().chain_update(password).chain_update(salt).finalize().to_vec(),
            Self::Sha512 => Sha512::new().chain_update(password).chain_update(salt).finalize().to_vec(),
        }
    }
}

pub(crate) struct Digest {
    algorithm: Algorithm,
    digest: Vec<u8>,
    salt: Vec<u8>,
}

impl Digest {
    /// A digest with its salt behind it.
    pub(super) fn salted(algorithm: Algorithm, octets: &[u8]) -> Result<Self, StoredError> {
        let (digest, salt) = octets.split_at_checked(algorithm.octets()).ok_or(StoredError::Malformed)?;
        Ok(Self { algorithm, digest: digest.to_vec(), salt: salt.to_vec() })
    }

    pub(super) fn bare(algorithm: Algorithm, digest: Vec<u8>) -> Result<Self, StoredError> {
        let whole = digest.len() == algorithm.octets();
        whole.then_some(Self { algorithm, digest, salt: Vec::new() }).ok_or(StoredError::Malformed)
    }

    pub(super) fn matches(&self, password: &[u8]) -> bool {
        self.algorithm.of(password, &self.salt).ct_eq(&self.digest).into()
    }
}
