//! Makes keys.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use types::{DkimAlgorithm, Secret};

/// The size of RSA keys. RFC 8301 section 3.2: at least 2048 bits. The record of a longer one does not fit into a packet of the DNS.
const RSA: KeySize = KeySize::Rsa2048;

/// A key that was just made.
#[derive(Debug)]
pub struct NewKey {
    /// The private key, as PKCS #8 (RFC 5958).
    pub private_key: Secret,
    /// The public key, as its record has it: `SubjectPublicKeyInfo` of RSA (RFC 6376 section 3.6.1), or the 32 octets of Ed25519
    /// (RFC 8463 section 4).
    pub public_key: Vec<u8>,
}

/// No key could be made.
#[derive(Debug, thiserror::Error)]
#[error("no key could be made: the system's source of randomness has failed")]
pub struct NotMade;

impl NewKey {
    /// Makes a key. One of RSA takes a good part of a second.
    ///
    /// # Errors
    /// [`NotMade`].
    pub fn generate(algorithm: DkimAlgorithm) -> Result<Self, NotMade> {
        let made = match algorithm {
            DkimAlgorithm::Rsa => rsa(),
            DkimAlgorithm::Ed25519 => ed25519(),
        };
        made.map_err(|Unspecified| NotMade)
    }
}

fn rsa() -> Result<NewKey, Unspecified> {
    let pair = rsa::KeyPair::generate(RSA)?;
    let private: Pkcs8V1Der<'_> = pair.as_der()?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der()?;
    Ok(NewKey { private_key: Secret::new(private.as_ref()), public_key: public.as_ref().to_vec() })
}

fn ed25519() -> Result<NewKey, Unspecified> {
    let pair = Ed25519KeyPair::generate()?;
    let private = pair.to_pkcs8()?;
    Ok(NewKey { private_key: Secret::new(private.as_ref()), public_key: pair.public_key().as_ref().to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_keys_have_the_form_of_their_records() {
        let rsa = NewKey::generate(DkimAlgorithm::Rsa).unwrap();
        // A SEQUENCE of 290 octets, as every SubjectPublicKeyInfo of 2048 bits is with the exponent 65537.
        assert_eq!((&rsa.public_key[..4], rsa.public_key.len()), (&[0x30, 0x82, 0x01, 0x22][..], 294));
        assert_eq!(NewKey::generate(DkimAlgorithm::Ed25519).unwrap().public_key.len(), 32);
    }

    #[test]
    fn no_key_is_made_twice() {
        let keys = [(); 2].map(|()| NewKey::generate(DkimAlgorithm::Ed25519).unwrap());
        assert_ne!(keys[0].public_key, keys[1].public_key);
        assert_ne!(keys[0].private_key, keys[1].private_key);
    }
}
