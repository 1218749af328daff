//! How TLS went with mail hosts, counted in memory until it is written down (RFC 8460).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use store::{Day, TLS_RESULTS_IN_DETAIL, TlsResult};

/// Results that are told from each other between two times that they are written. Beyond that the details are left out, and beyond twice as many
/// all of it.
const AT_MOST: usize = 10_000;
/// How much of what went wrong is kept, in octets: a mail host may say what it likes.
const REASON: usize = 200;

/// What came of TLS since it was last written.
#[derive(Debug)]
pub struct TlsTally {
    counted: Mutex<Counted>,
    now: fn() -> Timestamp,
}

#[derive(Debug, Default)]
struct Counted {
    sessions: HashMap<(Day, TlsResult), u64>,
    /// How many results there are of each domain and day.
    distinct: HashMap<(Day, String), u32>,
}

impl TlsTally {
    /// Nothing yet.
    #[must_use]
    pub fn new(now: fn() -> Timestamp) -> Self {
        Self { counted: Mutex::default(), now }
    }

    /// Counts a session of today.
    pub(crate) fn note(&self, mut result: TlsResult) {
        if let Some(failure) = &mut result.failure {
            failure.reason.truncate(failure.reason.floor_char_boundary(REASON));
        }
        self.counted().add(day_of((self.now)()), result, 1);
    }

    /// What was counted, which is forgotten.
    #[must_use]
    pub fn take(&self) -> Vec<(Day, TlsResult, u64)> {
        let counted = std::mem::take(&mut *self.counted()).sessions;
        counted.into_iter().map(|((day, result), sessions)| (day, result, sessions)).collect()
    }

    /// Counts again what could not be written.
    pub fn put_back(&self, sessions: Vec<(Day, TlsResult, u64)>) {
        let mut counted = self.counted();
        for (day, result, sessions) in sessions {
            counted.add(day, result, sessions);
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        // Nothing done under this lock can be left half done.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    /// Adds sessions, without details where there are many of the domain, or of all.
    fn add(&mut self, day: Day, result: TlsResult, sessions: u64) {
        let mut key = (day, result);
        if !self.sessions.contains_key(&key) && !self.has_room(day, &key.1.domain) {
            key.1 = key.1.without_details();
        }
        if let Some(counted) = self.sessions.get_mut(&key) {
            *counted += sessions;
        } else if self.sessions.len() < 2 * AT_MOST {
            *self.distinct.entry((day, key.1.domain.clone())).or_default() += 1;
            self.sessions.insert(key, sessions);
        }
    }

    fn has_room(&self, day: Day, domain: &str) -> bool {
        let of_domain = self.distinct.get(&(day, domain.to_owned())).copied().unwrap_or_default();
        self.sessions.len() < AT_MOST && of_domain < TLS_RESULTS_IN_DETAIL
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

#[cfg(test)]
mod tests {
    use store::{TlsFailure, TlsFailureKind, TlsPolicy, TlsPolicyKind};

    use super::*;

    fn refused(domain: u32, reason: String) -> TlsResult {
        let failure = TlsFailure {
            kind: TlsFailureKind::NotSupported,
            host: "mx.example.org".to_owned(),
            ip: String::new(),
            sent_from: String::new(),
            reason,
        };
        TlsResult {
            domain: format!("d{domain}.example"),
            policy: TlsPolicy { kind: TlsPolicyKind::NotFound, text: String::new() },
            failure: Some(failure),
        }
    }

    #[test]
    fn what_a_host_says_takes_little_room_and_each_session_is_counted() {
        let tally = TlsTally::new(|| Timestamp::UNIX_EPOCH);
        for number in 0..10 * TLS_RESULTS_IN_DETAIL {
            tally.note(refused(1, format!("{number:08}{}", "\u{e4}".repeat(1000))));
        }
        tally.note(refused(2, "short".to_owned()));
        for _ in 0..2 {
            let counted = tally.take();
            assert!((101..=102).contains(&counted.len()), "{}", counted.len());
            let reasons = counted.iter().filter_map(|(_, result, _)| Some(&result.failure.as_ref()?.reason));
            assert!(reasons.clone().all(|reason| reason.len() <= REASON));
            assert!(reasons.clone().any(|reason| reason == "short"));
            let sessions: u64 = counted.iter().map(|(_, _, sessions)| sessions).sum();
            assert_eq!(sessions, 1001);
            tally.put_back(counted);
        }
    }

    #[test]
    fn of_many_domains_at_once_not_all_is_counted() {
        let tally = TlsTally::new(|| Timestamp::UNIX_EPOCH);
        for domain in 0..30_000 {
            tally.note(refused(domain, "in words".to_owned()));
        }
        let counted = tally.take();
        assert_eq!(counted.len(), 2 * AT_MOST);
        assert_eq!(
            counted.iter().filter(|(_, result, _)| *result != result.without_details()).count(),
            AT_MOST
        );
    }
}
