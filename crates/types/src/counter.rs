//! Numbers that are counted while a server runs, for whoever watches it.
//!
//! Each part of the server owns its own and adds to them where something happens; whoever shows them reads them when asked. To add
//! to one costs an atomic addition or a short lock, and nobody waits for a reader.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

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

/// The bounds of [`Buckets::of_time`], in microseconds: a millisecond to a minute.
const TIMES: [u64; 13] = [
    1_000, 5_000, 10_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000,
    30_000_000, 60_000_000,
];

/// The bounds of [`Buckets::of_numbers`].
const NUMBERS: [u64; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/// How often a quantity was how large: a histogram.
#[derive(Debug)]
pub struct Buckets {
    bounds: &'static [u64],
    /// One for each bound, and one for what lies above the last.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// What a histogram says at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Histogram {
    /// Each bound, and how many quantities were not above it. Times are in microseconds.
    pub up_to: Vec<(u64, u64)>,
    /// How many there were in all.
    pub count: u64,
    /// What they make together.
    pub sum: u64,
}

impl Buckets {
    /// For times, from a millisecond to a minute.
    #[must_use]
    pub fn of_time() -> Self {
        Self::within(&TIMES)
    }

    /// For numbers of things, from 1 to 256.
    #[must_use]
    pub fn of_numbers() -> Self {
        Self::within(&NUMBERS)
    }

    fn within(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Counts a time.
    pub fn add_time(&self, time: Duration) {
        self.add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Counts a number of things.
    pub fn add(&self, quantity: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < quantity);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(quantity, Ordering::Relaxed);
    }

    /// What was counted so far.
    #[must_use]
    pub fn histogram(&self) -> Histogram {
        let mut count = 0;
        let mut below = self.counts.iter().map(|here| {
            count += here.load(Ordering::Relaxed);
            count
        });
        let up_to = self.bounds.iter().copied().zip(below.by_ref()).collect();
        let count = below.last().unwrap_or_default();
        Histogram { up_to, count, sum: self.sum.load(Ordering::Relaxed) }
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

    #[test]
    fn a_quantity_is_below_each_bound_that_it_does_not_pass() {
        let sizes = Buckets::of_numbers();
        for size in [1, 2, 3, 256, 1_000] {
            sizes.add(size);
        }
        let Histogram { up_to, count, sum } = sizes.histogram();
        assert_eq!((count, sum), (5, 1_262));
        assert_eq!(up_to.first(), Some(&(1, 1)));
        assert_eq!(up_to.get(1..3), Some(&[(2, 2), (4, 3)][..]));
        assert_eq!(up_to.last(), Some(&(256, 4)));
    }

    #[test]
    fn times_are_counted_in_microseconds() {
        let times = Buckets::of_time();
        times.add_time(Duration::from_millis(1));
        times.add_time(Duration::from_secs(3600));
        let Histogram { up_to, count, sum } = times.histogram();
        assert_eq!((up_to.first(), up_to.last(), count), (Some(&(1_000, 1)), Some(&(60_000_000, 1)), 2));
        assert_eq!(sum, 3_600_001_000);
    }
}
