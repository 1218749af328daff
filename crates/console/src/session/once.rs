//! Forms that may do what they do once: each has a number of its own, and what was done with that is not done again by a reload.
//!
//! The numbers are kept in memory, and a form that is sent again after a restart does it again.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::RngExt as _;
use types::WebSessionId;

/// Numbers that are known at most; beyond it the oldest is forgotten.
const NUMBERS: usize = 10_000;

type Number = (WebSessionId, u64);

/// The numbers of forms that were sent.
#[derive(Debug, Default)]
pub(crate) struct Once(Mutex<VecDeque<Number>>);

impl Once {
    /// A number for a form.
    pub(crate) fn number() -> u64 {
        rand::rng().random()
    }

    /// Whether the form with this number is sent for the first time in this session. From now on it was.
    pub(crate) fn is_first(&self, session: WebSessionId, number: u64) -> bool {
        let mut sent = self.sent();
        if sent.contains(&(session, number)) {
            return false;
        }
        if sent.len() >= NUMBERS {
            sent.pop_front();
        }
        sent.push_back((session, number));
        true
    }

    /// What the form was to do was not done: it may be sent again.
    pub(crate) fn forget(&self, session: WebSessionId, number: u64) {
        self.sent().retain(|sent| *sent != (session, number));
    }

    fn sent(&self) -> MutexGuard<'_, VecDeque<Number>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_taken_once_in_its_session_unless_nothing_was_done() {
        let (once, [one, other]) = (Once::default(), [1, 2].map(|id| WebSessionId::from_bytes([id; 16])));
        assert!(once.is_first(one, 7) && once.is_first(other, 7) && once.is_first(one, 8));
        assert!(!once.is_first(one, 7));
        once.forget(one, 7);
        assert!(once.is_first(one, 7));
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let (once, session) = (Once::default(), WebSessionId::from_bytes([1; 16]));
        once.sent().extend((0..10_000).map(|number| (session, number)));
        assert!(once.is_first(session, 10_000));
        assert!(once.is_first(session, 0) && !once.is_first(session, 9_999));
    }
}
