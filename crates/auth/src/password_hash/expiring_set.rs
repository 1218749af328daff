//! What has lately been found out, for a few minutes and up to a number, so that it need not be found out again.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How long an entry counts, from when it was found out.
const LIFETIME: SignedDuration = SignedDuration::from_mins(5);

/// Entries kept at most; beyond, the oldest goes. About 1 MB.
const CAPACITY: usize = 10_000;

/// A bounded set whose entries end by themselves.
pub(crate) struct Lately<T>(Mutex<Entries<T>>);

/// All entries live equally long, so the order of arrival is the order of departure.
struct Entries<T> {
    known: HashSet<T>,
    departures: VecDeque<(Timestamp, T)>,
}

impl<T> Default for Lately<T> {
    fn default() -> Self {
        Self(Mutex::new(Entries { known: HashSet::new(), departures: VecDeque::new() }))
    }
}

impl<T: Copy + Eq + Hash> Lately<T> {
    /// Whether this was found out a short while ago.
    pub(crate) fn has(&self, entry: &T, now: Timestamp) -> bool {
        let mut entries = self.entries();
        entries.forget_until(now);
        entries.known.contains(entry)
    }

    /// Remembers it, no longer than if it had been found out once.
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

    /// What would last longer than anything does is from a clock that was ahead.
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
    fn what_was_found_out_by_a_clock_ahead_is_forgotten() {
        let (lately, now) = (Lately::default(), Timestamp::UNIX_EPOCH);
        lately.add("ahead", now + SignedDuration::from_hours(24));
        lately.add("now", now);
        assert!(!lately.has(&"ahead", now) && lately.has(&"now", now));
    }

    #[test]
    fn the_oldest_goes_when_it_is_full() {
        let (lately, now) = (Lately::default(), Timestamp::UNIX_EPOCH);
        for number in 0..=CAPACITY {
            lately.add(number, now);
        }
        assert!(!lately.has(&0, now) && lately.has(&1, now) && lately.has(&CAPACITY, now));
        let entries = lately.entries();
        assert_eq!((entries.known.len(), entries.departures.len()), (CAPACITY, CAPACITY));
    }
}
