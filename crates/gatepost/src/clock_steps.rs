//! Whether the clock can be trusted to tell what is old: one that has just been set ahead could be wrong, and what is forgotten does not
//! come back when it is put right.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A step ahead of more than this makes the clock doubtful.
const STEP: SignedDuration = SignedDuration::from_hours(1);

/// How long it stays so: time to put it right.
const DOUBTFUL: Duration = Duration::from_secs(24 * 60 * 60);

/// Compares the clock with the time that has really passed.
#[derive(Debug)]
pub(crate) struct ClockSteps {
    /// What the clock told when `passed` was this.
    last: (Timestamp, Duration),
    /// How much time had passed when it was last set ahead.
    stepped: Option<Duration>,
}

impl ClockSteps {
    /// Begins at a time that is known to be past, such as that of the newest event there is; `grace` has gone by since then at most,
    /// if the clock is right.
    pub(crate) fn since(known: Timestamp, grace: SignedDuration, now: Timestamp) -> Self {
        let stepped = (now.duration_since(known) > grace).then_some(Duration::ZERO);
        Self { last: (now, Duration::ZERO), stepped }
    }

    /// Whether the clock, which tells `now`, was not set ahead within the last day. `passed` is the time since the start by a clock that
    /// nobody sets.
    pub(crate) fn is_steady(&mut self, now: Timestamp, passed: Duration) -> bool {
        let (last, passed_then) = self.last;
        let really =
            SignedDuration::try_from(passed.saturating_sub(passed_then)).unwrap_or(SignedDuration::MAX);
        if now.duration_since(last) > really.saturating_add(STEP) {
            self.stepped = Some(passed);
        }
        self.last = (now, passed);
        self.stepped.is_none_or(|stepped| passed.saturating_sub(stepped) >= DOUBTFUL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hours * 3600).unwrap()
    }

    fn hours(hours: u64) -> Duration {
        Duration::from_secs(hours * 3600)
    }

    #[test]
    fn a_clock_that_was_set_ahead_is_doubtful_for_a_day() {
        const YEARS: i64 = 100_000;
        let mut steps = ClockSteps::since(at(0), SignedDuration::from_hours(720), at(700));
        assert!(steps.is_steady(at(700), hours(0)) && steps.is_steady(at(710), hours(10)));
        assert!(!steps.is_steady(at(710 + YEARS), hours(10)));
        assert!(!steps.is_steady(at(711), hours(11)), "put right, but who knows");
        assert!(!steps.is_steady(at(733), hours(33)) && steps.is_steady(at(734), hours(34)));
        assert!(steps.is_steady(at(600), hours(35)), "what is set back makes nothing old");
    }

    #[test]
    fn a_clock_far_from_all_that_is_known_is_doubtful() {
        let mut steps = ClockSteps::since(at(0), SignedDuration::from_hours(720), at(721));
        assert!(!steps.is_steady(at(721), hours(0)) && steps.is_steady(at(745), hours(24)));
    }
}
