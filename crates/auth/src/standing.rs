//! What was found to hold, for as long as the store says that nothing has changed.
//!
//! A credential is asked about at every command that matters, so that a revoked one ends at the next of them. The
//! answer is nearly always the one before; reading it from the store again would be most of what a message costs.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use store::Revision;
use types::{AccountId, CredentialId};

use super::User;

/// What holds at one revision of the store. With the next it is all forgotten, so it never grows beyond those who
/// have logged in or sent mail since the last change.
#[derive(Default)]
pub(crate) struct Standing {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    revision: Option<Revision>,
    until: HashMap<Key, Option<Timestamp>>,
}

/// The version stands for the address that the user had.
type Key = (AccountId, Option<CredentialId>, i64);

impl Standing {
    /// Whether this user was found to stand at this very revision, and has not expired since.
    pub(crate) fn knows(&self, revision: Option<Revision>, user: &User, now: Timestamp) -> bool {
        let known = self.known();
        revision.is_some()
            && known.revision == revision
            && known.until.get(&key(user)).is_some_and(|until| until.is_none_or(|end| now < end))
    }

    /// Remembers what was read after `revision` was: had the store changed in between, `revision` would be an old
    /// one, and nobody asks for those.
    pub(crate) fn remember(&self, revision: Option<Revision>, user: &User, until: Option<Timestamp>) {
        if revision.is_none() {
            return;
        }
        let mut known = self.known();
        if known.revision != revision {
            known.until.clear();
            known.revision = revision;
        }
        known.until.insert(key(user), until);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(user: &User) -> Key {
    (user.account, user.credential, user.version)
}

#[cfg(test)]
mod tests {
    use types::Mailbox;

    use super::*;

    fn user(version: i64) -> User {
        let address = Mailbox::parse("alice@example.org").unwrap();
        User { account: AccountId::from_bytes([1; 16]), address, credential: None, version }
    }

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn it_holds_at_its_revision_alone() {
        let standing = Standing::default();
        let [one, two] = [Some(Revision(1)), Some(Revision(2))];
        assert!(!standing.knows(one, &user(1), second(0)));
        standing.remember(one, &user(1), None);
        assert!(standing.knows(one, &user(1), second(0)));
        assert!(!standing.knows(one, &user(2), second(0)));
        assert!(!standing.knows(two, &user(1), second(0)));
        standing.remember(two, &user(2), None);
        assert!(!standing.knows(one, &user(1), second(0)), "forgotten with the next revision");
    }

    #[test]
    fn it_expires() {
        let standing = Standing::default();
        standing.remember(Some(Revision(1)), &user(1), Some(second(10)));
        assert!(standing.knows(Some(Revision(1)), &user(1), second(9)));
        assert!(!standing.knows(Some(Revision(1)), &user(1), second(10)));
    }

    #[test]
    fn without_revisions_nothing_is_remembered() {
        let standing = Standing::default();
        standing.remember(None, &user(1), None);
        assert!(!standing.knows(None, &user(1), second(0)));
    }
}
