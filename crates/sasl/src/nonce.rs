//! Octets that nobody can guess, made from a seed so that a session stays a pure value.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What the nonces of a connection are made from: 32 octets of a cryptographic generator, another for each connection.
pub struct Nonces {
    seed: Zeroizing<[u8; 32]>,
    drawn: u64,
}

/// 144 bits for one exchange, in an alphabet that every mechanism can carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nonce([u8; 18]);

impl Nonces {
    /// Nonces of a connection. The seed has to be random and used for nothing else.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed: Zeroizing::new(seed), drawn: 0 }
    }

    /// The next nonce.
    #[expect(clippy::expect_used, reason = "RFC 2104 section 3: HMAC takes a key of any length")]
    pub fn draw(&mut self) -> Nonce {
        let mac = Hmac::<Sha256>::new_from_slice(self.seed.as_slice()).expect("a key of any length");
        let drawn = mac.chain_update(self.drawn.to_be_bytes()).finalize().into_bytes();
        self.drawn += 1;
        let mut nonce = [0; 18];
        nonce.iter_mut().zip(drawn).for_each(|(octet, drawn)| *octet = drawn);
        Nonce(nonce)
    }
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Nonces(…)")
    }
}

impl Nonce {
    /// The octets.
    #[must_use]
    pub fn as_octets(&self) -> &[u8] {
        &self.0
    }
}

/// As 24 characters of base64, without padding: what RFC 5802 allows in a nonce, and RFC 5322 in a msg-id.
impl std::fmt::Display for Nonce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::base64::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_nonce_comes_twice_and_seeds_have_their_own() {
        let mut drawn = std::collections::HashSet::new();
        for seed in 0..100 {
            let mut nonces = Nonces::new([seed; 32]);
            for _ in 0..100 {
                let nonce = nonces.draw().to_string();
                assert!(nonce.len() == 24 && !nonce.contains([',', '=', ' ']), "{nonce}");
                assert!(drawn.insert(nonce));
            }
        }
    }

    #[test]
    fn the_seed_is_not_shown() {
        assert_eq!(format!("{:?}", Nonces::new([1; 32])), "Nonces(…)");
    }
}
