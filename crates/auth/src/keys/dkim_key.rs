//! DKIM keys, sealed together with what the store says of them.
//!
//! The place of a sealed secret has no room for names. So what is sealed is the private key behind the name, the algorithm and the public key:
//! whoever changes one of these in the store, such as to have his own record published, has a key that does not open.

use store::DkimKey;
use types::Secret;

use crate::keys::keyring::Keyring;
use crate::keys::seal::SealError;
use crate::keys::sealer::Sealer;

impl Sealer {
    /// Seals the private key (PKCS #8) of this key.
    #[must_use]
    pub fn seal_dkim_key(&self, key: &DkimKey, private_key: &Secret) -> Vec<u8> {
        let told = told(key);
        // So much that it never moves: nothing would wipe what it leaves behind.
        let mut octets = Vec::with_capacity(told.len() + private_key.declassify().len());
        octets.extend_from_slice(&told);
        octets.extend_from_slice(private_key.declassify());
        self.seal(key.place(), &Secret::new(octets))
    }
}

impl Keyring {
    /// Opens the private key (PKCS #8) of this key.
    ///
    /// # Errors
    /// When it was not sealed for a key of this name, algorithm and public key, or under a master key that isn't in the key file.
    pub fn open_dkim_key(&self, key: &DkimKey) -> Result<Secret, SealError> {
        let opened = self.open_sealed(key.place(), &key.sealed)?;
        let private_key = opened.declassify().strip_prefix(told(key).as_slice());
        private_key.map(Secret::new).ok_or(SealError::Damaged)
    }
}

/// What the store says of a key: each part behind its length (4 octets, big-endian), so that no two keys have the same.
fn told(key: &DkimKey) -> Vec<u8> {
    let name = key.name.to_string();
    let parts = [name.as_bytes(), key.algorithm.name().as_bytes(), &key.public_key];
    let length = |part: &[u8]| u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes();
    parts.into_iter().flat_map(|part| [length(part).as_slice(), part].concat()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;
    use types::{DkimAlgorithm, DkimKeyId, DkimKeyName, Domain};

    use super::*;
    use crate::keys::key::Key;
    use crate::keys::master_key::tests::numbered;

    fn name(domain: &str, selector: &str) -> DkimKeyName {
        DkimKeyName::new(&Domain::parse(domain).unwrap(), selector.parse().unwrap()).unwrap()
    }

    fn key() -> DkimKey {
        DkimKey {
            id: DkimKeyId::from_bytes([1; 16]),
            name: name("example.org", "a"),
            algorithm: DkimAlgorithm::Rsa,
            created_at: Timestamp::UNIX_EPOCH,
            activated_at: None,
            retired_at: None,
            public_key: b"public".to_vec(),
            sealed: Vec::new(),
        }
    }

    #[test]
    fn a_key_of_which_the_store_says_something_else_does_not_open() {
        let masters = Arc::new(numbered(&[1, 2]));
        let (sealer, keyring) = (Sealer::newest(masters.clone()), Keyring::of(masters, Key::random()));
        let private = Secret::new("private");
        let key = DkimKey { sealed: sealer.seal_dkim_key(&key(), &private), ..key() };
        let later = Some(Timestamp::MAX);
        let used = DkimKey { activated_at: later, retired_at: later, ..key.clone() };
        assert_eq!(keyring.open_dkim_key(&used), Ok(private));
        for changed in [
            DkimKey { name: name("example.net", "a"), ..key.clone() },
            DkimKey { name: name("example.org", "b"), ..key.clone() },
            DkimKey { algorithm: DkimAlgorithm::Ed25519, ..key.clone() },
            DkimKey { public_key: b"publicp".to_vec(), ..key.clone() },
            DkimKey { public_key: b"".to_vec(), ..key.clone() },
            DkimKey { id: DkimKeyId::from_bytes([2; 16]), ..key.clone() },
            DkimKey { sealed: sealer.seal(key.place(), &Secret::new("private")), ..key.clone() },
        ] {
            assert_eq!(keyring.open_dkim_key(&changed), Err(SealError::Damaged), "{changed:?}");
        }
    }

    #[test]
    fn a_key_is_sealed_anew_without_a_look_at_what_the_store_says_of_it() {
        let private = Secret::new("private");
        let masters = Arc::new(numbered(&[1, 2]));
        let [old, new] = [1, 2].map(|number| Sealer::of(masters.clone(), number).unwrap());
        let key = DkimKey { sealed: old.seal_dkim_key(&key(), &private), ..key() };
        let resealed = new.reseal(key.place(), &key.sealed).unwrap().unwrap();
        let key = DkimKey { sealed: resealed.new, ..key };
        assert_eq!(Keyring::of(Arc::new(numbered(&[2])), Key::random()).open_dkim_key(&key), Ok(private));
    }
}
