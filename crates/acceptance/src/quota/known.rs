//! Whom an account has sent to of late, so that to send to them again asks nobody.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use store::Correspondent;

/// How many are surely remembered; there are never more than twice as many.
const SURELY: usize = 128;

/// How long what the store knows of a correspondent is good enough: it has to know only that there was one lately.
const NOTED: SignedDuration = SignedDuration::from_hours(24);

/// Correspondents, and when the store was last told. Two halves, of which the older is dropped when the younger is
/// full.
#[derive(Debug, Default)]
pub(super) struct Known {
    young: HashMap<Correspondent, Timestamp>,
    old: HashMap<Correspondent, Timestamp>,
}

impl Known {
    pub(super) fn knows(&self, correspondent: &Correspondent) -> bool {
        self.noted_at(correspondent).is_some()
    }

    /// Remembers one that the store knows, for how long nobody can say.
    pub(super) fn found(&mut self, correspondent: Correspondent) {
        if !self.knows(&correspondent) {
            self.insert(correspondent, Timestamp::MIN);
        }
    }

    /// Remembers one that is sent to now; whether the store should be told.
    pub(super) fn sent_to(&mut self, correspondent: Correspondent, now: Timestamp) -> bool {
        let fresh = self.noted_at(&correspondent).is_some_and(|at| now.duration_since(at).abs() < NOTED);
        if !fresh {
            self.insert(correspondent, now);
        }
        !fresh
    }

    fn noted_at(&self, correspondent: &Correspondent) -> Option<Timestamp> {
        self.young.get(correspondent).or_else(|| self.old.get(correspondent)).copied()
    }

    fn insert(&mut self, correspondent: Correspondent, noted_at: Timestamp) {
        if self.young.len() >= SURELY {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(correspondent, noted_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn correspondent(number: u16) -> Correspondent {
        let mut mark = [0; 16];
        mark[..2].copy_from_slice(&number.to_be_bytes());
        mark
    }

    #[test]
    fn those_of_late_are_known_and_never_too_many() {
        let mut known = Known::default();
        for number in 0..1000 {
            assert!(!known.knows(&correspondent(number)));
            known.sent_to(correspondent(number), Timestamp::UNIX_EPOCH);
            assert!(known.young.len() + known.old.len() <= 2 * SURELY);
        }
        assert!((1000 - 128..1000).all(|number| known.knows(&correspondent(number))));
    }

    #[test]
    fn the_store_is_told_once_a_day() {
        let (mut known, now) = (Known::default(), Timestamp::UNIX_EPOCH);
        let hours = |hours| now + SignedDuration::from_hours(hours);
        let bob = correspondent(1);
        known.found(bob);
        let told = [0, 1, 23, 24, 25, 47, 48].map(|later| known.sent_to(bob, hours(later)));
        assert_eq!(told, [true, false, false, true, false, false, true]);
        known.found(bob);
        assert!(!known.sent_to(bob, hours(49)));
    }
}
