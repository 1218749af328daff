//! How TLS went with mail hosts, counted in memory until it is written down (RFC 8460).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use store::{Day, TlsResult};

/// Results that are told from each other between two times that they are written. Beyond that the details of failures are left out, and beyond
/// twice as many all of it.
const AT_MOST: usize = 10_000;

/// What came of TLS since it was last written.
#[derive(Debug)]
pub struct TlsTally {
    counted: Mutex<HashMap<(Day, TlsResult), u64>>,
    now: fn() -> Timestamp,
}

impl TlsTally {
    /// Nothing yet.
    #[must_use]
    pub fn new(now: fn() -> Timestamp) -> Self {
        Self { counted: Mutex::default(), now }
    }

    /// Counts a session of today.
    pub(crate) fn note(&self, mut result: TlsResult) {
        let day = day_of((self.now)());
        let mut counted = self.counted();
        if counted.len() >= AT_MOST
            && let Some(failure) = &mut result.failure
        {
            for detail in [&mut failure.host, &mut failure.ip, &mut failure.sent_from, &mut failure.reason] {
                detail.clear();
            }
        }
        let has_room = counted.len() < 2 * AT_MOST;
        let key = (day, result);
        if has_room || counted.contains_key(&key) {
            *counted.entry(key).or_default() += 1;
        }
    }

    /// What was counted, which is forgotten.
    #[must_use]
    pub fn take(&self) -> Vec<(Day, TlsResult, u64)> {
        let counted = std::mem::take(&mut *self.counted());
        counted.into_iter().map(|((day, result), sessions)| (day, result, sessions)).collect()
    }

    /// Counts again what could not be written.
    pub fn put_back(&self, sessions: Vec<(Day, TlsResult, u64)>) {
        let mut counted = self.counted();
        for (day, result, sessions) in sessions {
            *counted.entry((day, result)).or_default() += sessions;
        }
    }

    fn counted(&self) -> MutexGuard<'_, HashMap<(Day, TlsResult), u64>> {
        // Nothing done under this lock can be left half done.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The day in UTC.
#[must_use]
pub fn day_of(time: Timestamp) -> Day {
    let days = time.as_second().div_euclid(86_400);
    Day::try_from(days).unwrap_or(Day::MAX)
}

/// When a day begins.
#[must_use]
pub fn start_of(day: Day) -> Timestamp {
    Timestamp::from_second(i64::from(day) * 86_400).unwrap_or(Timestamp::MAX)
}
