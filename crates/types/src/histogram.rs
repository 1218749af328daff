//! How often a quantity was how large, counted while a server runs.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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
