//! Blind digests: keyed digests of what the store only has to recognise, such as failed logins, correspondents and selectors.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use store::Mark;
use types::{AccountId, Mailbox, Secret};

use crate::keys::key::{Key, Purpose, keyed};

/// Makes blind digests, under a key that is derived from the root key of the store.
pub struct BlindDigests(Hmac<Sha256>);

impl BlindDigests {
    pub(crate) fn new(root: &Key) -> Self {
        Self(keyed(root.derive(Purpose::BlindDigest).as_slice()))
    }

    /// The digests that tell one failed attempt from others. The account is in both halves: the same secret tried elsewhere is
    /// another failure, and nobody sees that two accounts share one.
    #[must_use]
    pub fn of_attempt(&self, account: &str, secret: &Secret) -> Mark {
        Mark {
            account: self.digest(b"account", &[account.as_bytes()]),
            secret: self.digest(b"secret", &[account.as_bytes(), secret.declassify()]),
        }
    }

    /// The digest by which a correspondent is known again, whoever writes to them.
    #[must_use]
    pub fn of_correspondent(&self, address: &Mailbox) -> [u8; 16] {
        self.digest(b"correspondent", &[address.normal().as_bytes()])
    }

    /// A key for a fast digest of messages: nobody who does not have it can aim at another message's.
    #[must_use]
    pub fn key_of_messages(&self) -> [u8; 192] {
        let mut key = [0; 192];
        for (number, part) in (0u8..).zip(key.chunks_exact_mut(32)) {
            part.copy_from_slice(&self.digest::<32>(b"messages", &[&[number]]));
        }
        key
    }

    /// The first octets of the digest of parts, each behind its length, so that no two lists of parts read alike.
    fn digest<const OCTETS: usize>(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; OCTETS] {
        let mut digest = self.0.clone();
        for part in [purpose].iter().chain(parts) {
            digest.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into_bytes().first_chunk().copied().unwrap_or([0; OCTETS])
    }
}

impl std::fmt::Debug for BlindDigests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlindDigests(…)")
    }
}

/// The digest of the letters by which an imported app password of this account is found.
pub(crate) fn selector(root: &Key, account: AccountId, selector: &[u8]) -> [u8; 32] {
    let digest = keyed(root.derive(Purpose::Selector).as_slice());
    digest.chain_update(account.as_bytes()).chain_update(selector).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Key {
        Key::from_octets(&[7; 32]).unwrap()
    }

    fn mark(account: &str, secret: &str) -> Mark {
        BlindDigests::new(&root()).of_attempt(account, &Secret::new(secret))
    }

    #[test]
    fn an_attempt_has_the_same_digests_as_the_same_attempt_and_as_no_other() {
        let one = mark("alice@example.org", "guess");
        assert_eq!(one, mark("alice@example.org", "guess"));
        let (other, elsewhere) = (mark("alice@example.org", "guesses"), mark("bob@example.org", "guess"));
        assert!(one.account == other.account && one.secret != other.secret);
        assert!(one.account != elsewhere.account && one.secret != elsewhere.secret);
        assert_ne!(mark("ab", "c").secret, mark("a", "bc").secret);
        assert_ne!(one.account, one.secret);
    }

    #[test]
    fn a_correspondent_is_one_in_whatever_spelling() {
        let known = |text: &str| BlindDigests::new(&root()).of_correspondent(&Mailbox::parse(text).unwrap());
        assert_eq!(known("Bob@Example.ORG"), known("bob@example.org"));
        assert_ne!(known("bob@example.org"), known("rob@example.org"));
    }

    #[test]
    fn a_selector_differs_by_account() {
        let [one, other] = [1, 2].map(|id| AccountId::from_bytes([id; 16]));
        assert_eq!(selector(&root(), one, b"abcd"), selector(&root(), one, b"abcd"));
        assert_ne!(selector(&root(), one, b"abcd"), selector(&root(), other, b"abcd"));
        assert_ne!(selector(&root(), one, b"abcd"), selector(&root(), one, b"abce"));
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", BlindDigests::new(&root())), "BlindDigests(…)");
    }
}
