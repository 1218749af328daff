//! Numbers that are counted while a server runs, for whoever watches it.
//!
//! Each part of the server owns its own and adds to them where something happens; whoever shows them reads them when asked. To add
//! to one costs an atomic addition or a short lock, and nobody waits for a reader.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds this many.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    /// Adds one.
    pub fn count(&self) {
        self.add(1);
    }

    /// How many there were so far.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that only grows for each of a few names. The names are those of a closed set, never what a stranger chose: each is
/// shown as a series of its own.
#[derive(Debug)]
pub struct Tally<K>(Mutex<BTreeMap<K, u64>>);

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Copy> Tally<K> {
    /// A tally that has these names from the beginning, so that nought is shown for what has not happened yet.
    pub fn of(names: impl IntoIterator<Item = K>) -> Self {
        Self(Mutex::new(names.into_iter().map(|name| (name, 0)).collect()))
    }

    /// Adds one under this name.
    pub fn count(&self, name: K) {
        // Nothing in here panics half-way, so the numbers are right even so.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default() += 1;
    }

    /// How many there were so far under each name, in the order of the names.
    #[must_use]
    pub fn totals(&self) -> Vec<(K, u64)> {
        let totals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        totals.iter().map(|(name, total)| (*name, *total)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_happened_yet_is_nought() {
        let tally = Tally::of(["delivered", "failed"]);
        tally.count("failed");
        tally.count("held");
        assert_eq!(tally.totals(), [("delivered", 0), ("failed", 1), ("held", 1)]);
    }
}
