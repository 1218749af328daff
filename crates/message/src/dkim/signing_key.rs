//! A private key that is ready to sign.

use std::fmt;
use std::sync::Arc;

use mail_auth::common::crypto::{Algorithm, DkimKey, Ed25519Key, RsaKey, Sha256};
use mail_auth::common::headers::Writable;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use types::{DkimAlgorithm, DkimKeyName, Secret};

/// A private key that is ready to sign, with its name. A clone is another handle to the same.
#[derive(Clone)]
pub struct SigningKey {
    pub(super) name: DkimKeyName,
    pub(super) private: SharedKey,
}

/// What was stored is no private key of its algorithm.
#[derive(Debug, thiserror::Error)]
#[error("the DKIM key {0} is not a private key of its algorithm")]
pub struct NoKey(DkimKeyName);

impl SigningKey {
    /// The key of this name, whose private half is PKCS #8 (RFC 5958).
    ///
    /// # Errors
    /// [`NoKey`].
    pub fn new(name: DkimKeyName, algorithm: DkimAlgorithm, private_key: &Secret) -> Result<Self, NoKey> {
        let octets = private_key.declassify();
        let key = match algorithm {
            DkimAlgorithm::Rsa => {
                RsaKey::<Sha256>::from_key_der(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(octets)))
                    .map(DkimKey::from)
            }
            DkimAlgorithm::Ed25519 => Ed25519Key::from_pkcs8_der(octets).map(DkimKey::from),
        };
        match key {
            Ok(key) => Ok(Self { name, private: SharedKey(Arc::new(key)) }),
            // What the library says could have something of the key in it.
            Err(_) => Err(NoKey(name)),
        }
    }
}

impl SigningKey {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &DkimKeyName {
        &self.name
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The key itself: many messages are signed with it at a time.
#[derive(Clone)]
pub(super) struct SharedKey(Arc<DkimKey>);

impl mail_auth::common::crypto::SigningKey for SharedKey {
    type Hasher = Sha256;

    fn sign(&self, input: impl Writable) -> mail_auth::Result<Vec<u8>> {
        self.0.sign(input)
    }

    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }
}

#[cfg(test)]
mod tests {
    use types::Domain;

    use super::*;
    use crate::dkim::NewKey;

    #[test]
    fn a_key_is_one_of_its_algorithm_or_none() {
        let name = DkimKeyName::new(&Domain::parse("example.org").unwrap(), "s".parse().unwrap()).unwrap();
        for algorithm in DkimAlgorithm::ALL {
            let private = NewKey::generate(algorithm).unwrap().private_key;
            let other = DkimAlgorithm::ALL.into_iter().find(|other| *other != algorithm).unwrap();
            let shown = format!("{:?}", SigningKey::new(name.clone(), algorithm, &private).unwrap());
            assert!(shown.starts_with("SigningKey { name: ") && shown.ends_with(", .. }"), "{shown}");
            assert!(SigningKey::new(name.clone(), other, &private).is_err());
            let error = SigningKey::new(name.clone(), algorithm, &Secret::new("no key")).unwrap_err();
            assert_eq!(
                error.to_string(),
                "the DKIM key s._domainkey.example.org is not a private key of its algorithm"
            );
        }
    }
}
