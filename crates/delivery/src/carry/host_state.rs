//! What the last attempt has shown of the host that takes a destination's mail.

use std::collections::HashMap;
use std::mem::take;
use std::sync::{Mutex, MutexGuard, PoisonError};

use store::Destination;

use super::failure::Failure;

/// Whether a host answers.
#[derive(Debug, Clone, Default)]
pub(crate) enum HostState {
    /// It was not asked yet, or so long ago that it is forgotten.
    #[default]
    Unknown,
    /// It answered at the last attempt.
    Answers,
    /// It did not at the last attempt.
    Fails(Failure),
}

impl HostState {
    /// The last attempt, if it failed.
    pub(super) fn failure(&self) -> Option<&Failure> {
        match self {
            HostState::Fails(failure) => Some(failure),
            HostState::Unknown | HostState::Answers => None,
        }
    }

    pub(super) fn answers(&self) -> bool {
        matches!(self, HostState::Answers)
    }
}

/// Destinations in one half of what is remembered.
const HALF: usize = 10_000;

/// What is remembered of destinations, also while nothing waits for them in memory.
#[derive(Debug, Default)]
pub(super) struct HostStates(Mutex<Halves>);

/// Once the recent half is full, the one before is forgotten: so much is remembered at most, and what was noted last for longest.
#[derive(Debug, Default)]
struct Halves {
    recent: HashMap<Destination, HostState>,
    before: HashMap<Destination, HostState>,
}

impl HostStates {
    pub(super) fn note(&self, destination: &Destination, host_state: HostState) {
        let mut halves = self.halves();
        if halves.recent.len() >= HALF {
            halves.before = take(&mut halves.recent);
        }
        halves.recent.insert(destination.clone(), host_state);
    }

    pub(super) fn of(&self, destination: &Destination) -> HostState {
        let halves = self.halves();
        let known = halves.recent.get(destination).or_else(|| halves.before.get(destination));
        known.cloned().unwrap_or_default()
    }

    /// The destinations whose host did not answer at the last attempt, and that attempt.
    pub(super) fn failing(&self) -> Vec<(Destination, Failure)> {
        let halves = self.halves();
        let before =
            halves.before.iter().filter(|(destination, _)| !halves.recent.contains_key(*destination));
        let known = halves.recent.iter().chain(before);
        known
            .filter_map(|(destination, state)| Some((destination.clone(), state.failure()?.clone())))
            .collect()
    }

    fn halves(&self) -> MutexGuard<'_, Halves> {
        // Nothing done under this lock can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_answers_again_fails_no_more_whichever_half_knows_that_it_did() {
        let host_states = HostStates::default();
        for there in ["back", "dead"] {
            host_states.note(&there.into(), HostState::Fails(Failure::just_now()));
        }
        for n in 0..HALF {
            host_states.note(&n.to_string().into(), HostState::Answers);
        }
        host_states.note(&"back".into(), HostState::Answers);
        let failing: Vec<_> = host_states.failing().into_iter().map(|(there, _)| there.to_string()).collect();
        assert_eq!(failing, ["dead"]);
    }

    #[test]
    fn so_much_is_remembered_and_the_oldest_is_forgotten() {
        let host_states = HostStates::default();
        for n in 0..3 * HALF {
            host_states.note(&n.to_string().into(), HostState::Answers);
        }
        let of = |n: usize| host_states.of(&n.to_string().into());
        assert!(matches!((of(0), of(3 * HALF - 1)), (HostState::Unknown, HostState::Answers)));
        let halves = host_states.halves();
        assert!(halves.recent.len() + halves.before.len() <= 2 * HALF);
    }
}
