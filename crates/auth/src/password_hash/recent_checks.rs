//! What checks of account passwords have found in the last few minutes, so that they need not be made again.
//!
//! A right password is remembered so that a client that logs in for every message pays Argon2 once in a while. Only successes are
//! remembered that way, so strangers can't fill the memory. An entry is a keyed digest of the account, the version of its
//! credentials and the password: a changed password, a disabled account or a restart makes it worthless, and nothing in it
//! helps a reader of this process's memory to try passwords elsewhere.
//!
//! A wrong password is remembered so that the same one again costs no hash. The counters of the guard don't tell: they count
//! attempts that were never judged, too.

use hmac::{Hmac, Mac as _};
use jiff::Timestamp;
use rand::RngExt as _;
use sha2::Sha256;
use store::{Account, Mark};
use types::{AccountId, Secret};
use zeroize::Zeroizing;

use super::expiring_set::ExpiringSet;
use super::hasher::Checked;
use crate::keys::key::keyed;

/// What stands for a password of an account in one state of it.
type Digest = [u8; 32];

/// A password that was tried, and the account and its version as they were then, if there was an account to log in to.
pub(crate) type Tried = (Mark, Option<(AccountId, i64)>);

/// What checks of account passwords have found lately.
pub(crate) struct RecentChecks {
    key: Hmac<Sha256>,
    right: ExpiringSet<Digest>,
    wrong: ExpiringSet<Tried>,
    /// Passwords that were right where nobody is to learn that: the same again must cost as little as a wrong one.
    right_untold: ExpiringSet<Tried>,
}

impl RecentChecks {
    /// No checks yet, under a key that this process alone knows.
    pub(crate) fn new() -> Self {
        let key: Zeroizing<[u8; 32]> = Zeroizing::new(rand::rng().random());
        let (right, wrong, right_untold) = Default::default();
        Self { key: keyed(key.as_slice()), right, wrong, right_untold }
    }

    /// Whether this was the account's password a short while ago, and the account has not changed since.
    pub(crate) fn knows(&self, account: &Account, password: &Secret, now: Timestamp) -> bool {
        self.right.has(&self.digest(account, password), now)
    }

    /// Remembers that the password was right.
    pub(crate) fn remember(&self, account: &Account, password: &Secret, now: Timestamp) {
        self.right.add(self.digest(account, password), now);
    }

    /// Remembers that the password was right, where nobody is to learn that.
    pub(crate) fn remember_untold(&self, tried: Tried, now: Timestamp) {
        self.right_untold.add(tried, now);
    }

    /// Remembers that the password was wrong.
    pub(crate) fn remember_wrong(&self, tried: Tried, now: Timestamp) {
        self.wrong.add(tried, now);
    }

    /// Whether the password was wrong a short while ago.
    pub(crate) fn is_wrong(&self, tried: &Tried, now: Timestamp) -> bool {
        self.wrong.has(tried, now)
    }

    /// What a check would find, if one was made a short while ago and its finding was not told.
    pub(crate) fn found(&self, tried: &Tried, now: Timestamp) -> Option<Checked> {
        if self.is_wrong(tried, now) {
            return Some(Checked::No);
        }
        self.right_untold.has(tried, now).then_some(Checked::Yes)
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
        let recent = RecentChecks::new();
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
        let recent = RecentChecks::new();
        let digests = [
            recent.digest(&account(1, 1), &Secret::new("secret")),
            recent.digest(&account(2, 1), &Secret::new("secret")),
            recent.digest(&account(1, 2), &Secret::new("secret")),
            recent.digest(&account(1, 1), &Secret::new("secret ")),
            RecentChecks::new().digest(&account(1, 1), &Secret::new("secret")),
        ];
        assert_eq!(HashSet::from(digests).len(), digests.len());
    }
}
