//! A cache of what was read from the store, for as long as the store says that nothing has changed.
//!
//! A credential is asked about at every command that matters, so that a revoked one ends at the next of them, and
//! clients that log in for each message show the same app password again and again. The answer is nearly always the
//! one before; reading it from the store each time would be most of what a message costs.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use store::Revision;

/// Values that were read at one revision of the store. With the next revision they are all forgotten, so there are never more
/// than those who have logged in or sent mail since the last change.
pub(crate) struct RevisionCache<K, V> {
    known: Mutex<Known<K, V>>,
}

struct Known<K, V> {
    revision: Option<Revision>,
    values: HashMap<K, V>,
}

impl<K: Eq + Hash, V: Clone> RevisionCache<K, V> {
    pub(crate) fn new() -> Self {
        Self { known: Mutex::new(Known { revision: None, values: HashMap::new() }) }
    }

    /// The value, if it was read at this very revision.
    pub(crate) fn at(&self, revision: Option<Revision>, key: &K) -> Option<V> {
        let known = self.known();
        (revision.is_some() && known.revision == revision).then(|| known.values.get(key).cloned())?
    }

    /// Remembers what was read after `revision` was: had the store changed in between, `revision` would be an old
    /// one, and nobody asks for those.
    pub(crate) fn remember(&self, revision: Option<Revision>, key: K, value: V) {
        if revision.is_none() {
            return;
        }
        let mut known = self.known();
        if known.revision != revision {
            known.values.clear();
            known.revision = revision;
        }
        known.values.insert(key, value);
    }

    fn known(&self) -> MutexGuard<'_, Known<K, V>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_holds_at_its_revision_alone() {
        let cache = RevisionCache::new();
        let [one, two] = [Some(Revision(1)), Some(Revision(2))];
        assert_eq!(cache.at(one, &"alice"), None);
        cache.remember(one, "alice", 10);
        assert_eq!(cache.at(one, &"alice"), Some(10));
        assert_eq!(cache.at(one, &"bob"), None);
        assert_eq!(cache.at(two, &"alice"), None);
        cache.remember(two, "bob", 20);
        assert_eq!(cache.at(one, &"alice"), None, "forgotten with the next revision");
    }

    #[test]
    fn without_revisions_nothing_is_remembered() {
        let cache = RevisionCache::new();
        cache.remember(None, "alice", 10);
        assert_eq!(cache.at(None, &"alice"), None);
    }
}
