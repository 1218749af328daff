//! The memory of recent successes, so that a client that logs in for every message pays Argon2 once in a while.
//!
//! Only successes enter, so strangers can't fill it. An entry is a keyed digest of the account, the version of
//! its credentials and the password: a changed password, a disabled account or a restart makes it worthless, and
//! nothing in it helps a reader of this process's memory to try passwords elsewhere.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, Mac as _};
use jiff::{SignedDuration, Timestamp};
use rand::RngExt as _;
use sha2::Sha256;
use store::Account;
use types::Secret;
use zeroize::Zeroizing;

use crate::key::keyed;

/// How long a success counts, from the run of Argon2 on.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Entries kept at most; beyond, the oldest goes. About 1 MB.
const CAPACITY: usize = 10_000;

/// What stands for a password of an account in one state of it.
type Digest = [u8; 32];

pub(crate) struct Recent {
    key: Hmac<Sha256>,
    entries: Mutex<Entries>,
}

/// All entries live equally long, so the order of arrival is the order of departure.
#[derive(Default)]
struct Entries {
    known: HashSet<Digest>,
    departures: VecDeque<(Timestamp, Digest)>,
}

impl Recent {
    /// Empty, under a key that this process alone knows.
    pub(crate) fn new() -> Self {
        let key: Zeroizing<[u8; 32]> = Zeroizing::new(rand::rng().random());
        Self { key: keyed(key.as_slice()), entries: Mutex::default() }
    }

    /// Whether this was the account's password a short while ago, and the account has not changed since.
    pub(crate) fn knows(&self, account: &Account, password: &Secret, now: Timestamp) -> bool {
        let digest = self.digest(account, password);
        let mut entries = self.entries();
        entries.forget_until(now);
        entries.known.contains(&digest)
    }

    /// Remembers that it was right.
    pub(crate) fn remember(&self, account: &Account, password: &Secret, now: Timestamp) {
        let until = now.saturating_add(LIFETIME).unwrap_or(now);
        self.entries().insert(self.digest(account, password), until);
    }

    fn digest(&self, account: &Account, password: &Secret) -> Digest {
        // Fields of a fixed length before the one that is not: no two inputs read alike.
        let digest = self.key.clone().chain_update(account.id.as_bytes());
        let digest = digest.chain_update(account.version.to_be_bytes());
        digest.chain_update(password.declassify()).finalize().into_bytes().into()
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn insert(&mut self, digest: Digest, until: Timestamp) {
        if !self.known.insert(digest) {
            return;
        }
        self.departures.push_back((until, digest));
        if self.known.len() > CAPACITY {
            self.forget_oldest();
        }
    }

    fn forget_until(&mut self, now: Timestamp) {
        while self.departures.front().is_some_and(|(until, _)| *until <= now) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, digest)) = self.departures.pop_front() {
            self.known.remove(&digest);
        }
    }
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn the_oldest_goes_when_it_is_full() {
        let mut entries = Entries::default();
        for number in 0..=CAPACITY {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_be_bytes());
            entries.insert(digest, second(300));
        }
        assert_eq!((entries.known.len(), entries.departures.len()), (CAPACITY, CAPACITY));
        assert!(!entries.known.contains(&[0; 32]));
    }
}
