//! The memory of recent successes, so that a client that logs in for every message pays Argon2 once in a while.
//!
//! Only successes enter it, so strangers can't fill it. An entry is a keyed digest of the account, the version of
//! its credentials and the password: a changed password, a disabled account or a restart makes it worthless, and
//! nothing in it helps a reader of this process's memory to try passwords elsewhere.

use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use rand::RngExt as _;
use sha2::Sha256;
use store::Account;
use types::Secret;
use zeroize::Zeroizing;

use crate::keys::key::keyed;
use crate::password_hash::expiring_set::Lately;

/// What stands for a password of an account in one state of it.
type Digest = [u8; 32];

pub(crate) struct Recent {
    key: Hmac<Sha256>,
    known: Lately<Digest>,
}

impl Recent {
    /// Empty, under a key that this process alone knows.
    pub(crate) fn new() -> Self {
        let key: Zeroizing<[u8; 32]> = Zeroizing::new(rand::rng().random());
        Self { key: keyed(key.as_slice()), known: Lately::default() }
    }

    /// Whether this was the account's password a short while ago, and the account has not changed since.
    pub(crate) fn knows(&self, account: &Account, password: &Secret, now: Timestamp) -> bool {
        self.known.has(&self.digest(account, password), now)
    }

    /// Remembers that it was right.
    pub(crate) fn remember(&self, account: &Account, password: &Secret, now: Timestamp) {
        self.known.add(self.digest(account, password), now);
    }

    fn digest(&self, account: &Account, password: &Secret) -> Digest {
        // Fields of a fixed length before the one that is not: no two inputs read alike.
        let digest = self.key.clone().chain_update(account.id.as_bytes());
        let digest = digest.chain_update(account.version.to_be_bytes());
        digest.chain_update(password.declassify()).finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use types::{AccountId, Mailbox};

    use super::*;

    fn account(id: u8, version: i64) -> Account {
        let address = Mailbox::parse("alice@example.org").unwrap();
        let id = AccountId::from_bytes([id; 16]);
        Account { version, ..Account::new(id, address, Timestamp::UNIX_EPOCH) }
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_success_counts_for_five_minutes_and_is_not_prolonged_by_use() {
        let recent = Recent::new();
        let (account, password) = (account(1, 1), Secret::new("secret"));
        let knows = |now| recent.knows(&account, &password, second(now));
        assert!(!knows(0));
        recent.remember(&account, &password, second(0));
        assert!(knows(299));
        recent.remember(&account, &password, second(299));
        assert!(!knows(300));
    }

    #[test]
    fn another_account_version_or_password_is_another_entry() {
        let recent = Recent::new();
        let digests = [
            recent.digest(&account(1, 1), &Secret::new("secret")),
            recent.digest(&account(2, 1), &Secret::new("secret")),
            recent.digest(&account(1, 2), &Secret::new("secret")),
            recent.digest(&account(1, 1), &Secret::new("secret ")),
            Recent::new().digest(&account(1, 1), &Secret::new("secret")),
        ];
        assert_eq!(HashSet::from(digests).len(), digests.len());
    }
}
