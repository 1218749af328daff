//! Those who send, until their windows have passed.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// Below this many nobody looks for those that could be forgotten.
const FEW: usize = 1024;

/// Those that have sent in the last day, or do so now.
#[derive(Debug)]
pub(super) struct Senders<K, S>(Mutex<All<K, S>>);

#[derive(Debug)]
struct All<K, S> {
    senders: HashMap<K, Arc<S>>,
    /// With how many it is worth looking.
    many: usize,
}

/// One that sends.
pub(super) trait Sender: Default {
    /// Whether neither of its windows runs: then there is nothing to remember.
    fn is_idle(&self, now: Timestamp) -> bool;
}

impl<K, S> Default for Senders<K, S> {
    fn default() -> Self {
        Self(Mutex::new(All { senders: HashMap::new(), many: 0 }))
    }
}

impl<K: Copy + Eq + Hash, S: Sender> Senders<K, S> {
    /// What is known of this one, which may be nothing yet.
    pub(super) fn of(&self, key: K, now: Timestamp) -> Arc<S> {
        let mut all = self.all();
        if let Some(sender) = all.senders.get(&key) {
            return Arc::clone(sender);
        }
        all.forget_idle(now);
        Arc::clone(all.senders.entry(key).or_default())
    }

    /// Forgets all of them.
    pub(super) fn take_all(&self) -> Vec<(K, Arc<S>)> {
        self.all().senders.drain().collect()
    }

    fn all(&self) -> MutexGuard<'_, All<K, S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, S: Sender> All<K, S> {
    /// Looks through all of them only when there are twice as many as the last look has left.
    fn forget_idle(&mut self, now: Timestamp) {
        if self.senders.len() < self.many.max(FEW) {
            return;
        }
        // Whoever holds one is about to count.
        self.senders.retain(|_, sender| Arc::strong_count(sender) > 1 || !sender.is_idle(now));
        self.many = self.senders.len().saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Busy(AtomicBool);

    impl Sender for Busy {
        fn is_idle(&self, _: Timestamp) -> bool {
            !self.0.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn those_whose_windows_have_passed_are_forgotten() {
        let (senders, now) = (Senders::<u32, Busy>::default(), Timestamp::UNIX_EPOCH);
        let held = senders.of(0, now);
        for number in 1..5000 {
            senders.of(number, now).0.store(number % 100 == 0, Ordering::Relaxed);
        }
        let remembered = senders.take_all();
        let is_there = |number| remembered.iter().any(|(key, _)| *key == number);
        assert!(remembered.len() < 1100, "{}", remembered.len());
        assert!((0..50).all(|number| is_there(number * 100)));
        drop(held);
    }
}
