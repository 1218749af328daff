//! A set whose entries expire after a few minutes, with a bound.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How long an entry counts, from when it was added first.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Entries kept at most; beyond, the oldest goes. About 1 MB.
const CAPACITY: usize = 10_000;

/// A bounded set whose entries expire.
pub(crate) struct ExpiringSet<T>(Mutex<Entries<T>>);

/// All entries live equally long, so the order of arrival is the order of departure.
struct Entries<T> {
    known: HashSet<T>,
    departures: VecDeque<(Timestamp, T)>,
}

impl<T> Default for ExpiringSet<T> {
    fn default() -> Self {
        Self(Mutex::new(Entries { known: HashSet::new(), departures: VecDeque::new() }))
    }
}

impl<T: Copy + Eq + Hash> ExpiringSet<T> {
    /// Whether the entry was added less than five minutes ago.
    pub(crate) fn has(&self, entry: &T, now: Timestamp) -> bool {
        let mut entries = self.entries();
        entries.forget_until(now);
        entries.known.contains(entry)
    }

    /// Adds the entry. One that is there already does not stay longer for it.
    pub(crate) fn add(&self, entry: T, now: Timestamp) {
        self.entries().insert(entry, later(now));
    }

    fn entries(&self) -> MutexGuard<'_, Entries<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Copy + Eq + Hash> Entries<T> {
    fn insert(&mut self, entry: T, until: Timestamp) {
        if !self.known.insert(entry) {
            return;
        }
        self.departures.push_back((until, entry));
        if self.known.len() > CAPACITY {
            self.forget_oldest();
        }
    }

    /// Forgets what has expired, and what would last longer than anything does: it is from a clock that was ahead.
    fn forget_until(&mut self, now: Timestamp) {
        let ends = |until: Timestamp| until <= now || until > later(now);
        while self.departures.front().is_some_and(|(until, _)| ends(*until)) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, entry)) = self.departures.pop_front() {
            self.known.remove(&entry);
        }
    }
}

fn later(now: Timestamp) -> Timestamp {
    now.saturating_add(LIFETIME).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_by_a_clock_that_was_ahead_is_forgotten() {
        let (set, now) = (ExpiringSet::default(), Timestamp::UNIX_EPOCH);
        set.add("ahead", now + SignedDuration::from_hours(24));
        set.add("now", now);
        assert!(!set.has(&"ahead", now) && set.has(&"now", now));
    }

    #[test]
    fn the_oldest_goes_when_it_is_full() {
        let (set, now) = (ExpiringSet::default(), Timestamp::UNIX_EPOCH);
        for number in 0..=CAPACITY {
            set.add(number, now);
        }
        assert!(!set.has(&0, now) && set.has(&1, now) && set.has(&CAPACITY, now));
        let entries = set.entries();
        assert_eq!((entries.known.len(), entries.departures.len()), (CAPACITY, CAPACITY));
    }
}
