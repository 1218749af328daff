//! When to try again, and when to give up (RFC 5321 section 4.5.4.1).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Waits double from `first` to `max`; after `tell_delay` the sender is told, after `give_up` a recipient has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// After the first attempt.
    pub first: Duration,
    /// No wait is longer.
    pub max: Duration,
    /// How long after acceptance the last attempt is made.
    pub give_up: Duration,
    /// How long after acceptance the sender of a message that still waits is told; `None`: never.
    pub tell_delay: Option<Duration>,
}

/// Attempts that must have failed before giving up, or half of what the schedule has room for if that is less. A clock that
/// jumps by years then fails nothing at once: the queue has hours to see it put right.
const CONFIRMATIONS: u64 = 8;

impl Default for Schedule {
    fn default() -> Schedule {
        let hours = |hours: u64| Duration::from_secs(hours * 3600);
        Schedule {
            first: Duration::from_secs(300),
            max: hours(4),
            give_up: hours(5 * 24),
            tell_delay: Some(hours(4)),
        }
    }
}

impl Schedule {
    /// When a message that is due since `due_since` is tried again after `attempts` attempts, the one just made included;
    /// `None` to give up. `random` spreads the wait by an eighth to either side, lest a returning host meet everyone at once.
    pub fn next_attempt(
        &self,
        attempts: u32,
        due_since: Timestamp,
        now: Timestamp,
        random: u32,
    ) -> Option<Timestamp> {
        let (last, attempts_made) = (later(due_since, self.give_up), u64::from(attempts));
        let is_over = match due_since <= now {
            true => now >= last && attempts_made >= self.confirmations(),
            // The clock was ahead, and nobody knows since when the message waits. Beside the attempts behind each wait there are
            // the first one, and the one when time is up.
            false => attempts_made >= self.planned() + 2,
        };
        if is_over {
            return None;
        }
        let next = later(now, spread(self.wait(attempts), random));
        // The last attempt is made when time is up, not a wait before that.
        Some(if now < last { next.min(last) } else { next })
    }

    /// Whether the sender of a message that is due since then, and still waits at `now`, is to be told; not that it will be tried until a time
    /// that is over, as it is when a clock jumps ahead.
    pub(crate) fn is_late(&self, due_since: Timestamp, now: Timestamp) -> bool {
        self.tell_delay.is_some_and(|wait| later(due_since, wait) <= now) && now < self.gives_up_at(due_since)
    }

    /// When a message that is due since then is given up, as far as that is known beforehand.
    pub(crate) fn gives_up_at(&self, due_since: Timestamp) -> Timestamp {
        later(due_since, self.give_up)
    }

    fn wait(&self, attempts: u32) -> Duration {
        let doublings = attempts.saturating_sub(1).min(31);
        self.first.saturating_mul(1 << doublings).min(self.max)
    }

    /// No wait is set to be longer.
    pub(crate) fn longest_wait(&self) -> Duration {
        spread(self.max, MOST_SPREAD)
    }

    fn confirmations(&self) -> u64 {
        (self.planned() / 2).clamp(1, CONFIRMATIONS)
    }

    /// How many waits there is room for before giving up.
    fn planned(&self) -> u64 {
        let (mut left, mut planned) = (self.give_up, 0);
        loop {
            let wait = self.wait(u32::try_from(planned + 1).unwrap_or(u32::MAX));
            if wait == self.max && !wait.is_zero() {
                return planned + u64::try_from(left.as_nanos() / wait.as_nanos()).unwrap_or(u64::MAX);
            }
            match left.checked_sub(wait) {
                Some(rest) if !wait.is_zero() => (left, planned) = (rest, planned + 1),
                Some(_) | None => return planned,
            }
        }
    }
}

/// What spreads a wait most.
const MOST_SPREAD: u32 = 250;

fn spread(wait: Duration, random: u32) -> Duration {
    // 875 to 1125 thousandths.
    wait.saturating_mul(875 + random % (MOST_SPREAD + 1)) / 1000
}

/// Saturates, so that no clock and no configuration can make it fail.
fn later(time: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    time.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCEPTED: Timestamp = Timestamp::constant(1_800_000_000, 0);
    const MIDDLE: u32 = 125;

    fn at(seconds: i64) -> Timestamp {
        ACCEPTED.checked_add(SignedDuration::from_secs(seconds)).unwrap()
    }

    /// The times of all attempts, in seconds after acceptance, as a running server makes them.
    fn attempts(schedule: Schedule, random: u32) -> Vec<i64> {
        let (mut now, mut times) = (ACCEPTED, Vec::new());
        loop {
            times.push(now.duration_since(ACCEPTED).as_secs());
            match schedule.next_attempt(u32::try_from(times.len()).unwrap(), ACCEPTED, now, random) {
                Some(next) if next > now => now = next,
                Some(next) => panic!("{next} is not after {now}"),
                None => return times,
            }
        }
    }

    #[test]
    fn waits_double_to_four_hours_and_end_after_five_days() {
        let times = attempts(Schedule::default(), MIDDLE);
        assert_eq!(times[..7], [0, 300, 900, 2100, 4500, 9300, 18900]);
        assert_eq!(times[8] - times[7], 4 * 3600);
        assert_eq!(*times.last().unwrap(), 5 * 24 * 3600);
    }

    #[test]
    fn waits_are_spread() {
        let second = |random| attempts(Schedule::default(), random)[1];
        assert_eq!((second(0), second(MIDDLE), second(250), second(251)), (262, 300, 337, 262));
    }

    #[test]
    fn short_schedules_give_up_in_time() {
        let seconds = Duration::from_secs;
        let times = attempts(
            Schedule { first: seconds(1), max: seconds(1), give_up: seconds(3), ..Schedule::default() },
            MIDDLE,
        );
        assert_eq!(times, [0, 1, 2, 3]);
        let times = attempts(
            Schedule { first: seconds(300), max: seconds(300), give_up: seconds(1), ..Schedule::default() },
            MIDDLE,
        );
        assert_eq!(times, [0, 1]);
        assert_eq!(attempts(Schedule { give_up: seconds(0), ..Schedule::default() }, MIDDLE), [0]);
    }

    #[test]
    fn a_sender_is_told_after_four_hours_or_never() {
        let (schedule, hour) = (Schedule::default(), 3600);
        assert!(!schedule.is_late(ACCEPTED, at(4 * hour - 1)) && schedule.is_late(ACCEPTED, at(4 * hour)));
        assert!(!Schedule { tell_delay: None, ..schedule }.is_late(ACCEPTED, Timestamp::MAX));
        assert_eq!(schedule.gives_up_at(ACCEPTED), at(5 * 24 * hour));
        assert!(schedule.is_late(ACCEPTED, at(5 * 24 * hour - 1)));
        assert!(
            !schedule.is_late(ACCEPTED, at(5 * 24 * hour)),
            "a clock that jumps promises nothing that is over"
        );
    }

    #[test]
    fn a_message_from_a_clock_ahead_is_not_tried_for_years() {
        let schedule = Schedule::default();
        let planned = attempts(schedule, MIDDLE).len();
        let tried_at_last =
            (1..).find(|made| schedule.next_attempt(*made, ACCEPTED, at(-1), MIDDLE).is_none());
        assert_eq!(usize::try_from(tried_at_last.unwrap()).unwrap(), planned);
        let next = schedule.next_attempt(1, ACCEPTED, at(-1), MIDDLE).unwrap();
        assert_eq!(next, at(299));
    }

    #[test]
    fn a_clock_that_jumps_fails_nothing_at_once() {
        let schedule = Schedule::default();
        let (years, hours) = (10 * 365 * 24 * 3600, 3600);
        assert!(schedule.next_attempt(1, ACCEPTED, at(years), MIDDLE).is_some());
        assert!(schedule.next_attempt(7, ACCEPTED, at(years + 9 * hours), MIDDLE).is_some());
        assert_eq!(schedule.next_attempt(8, ACCEPTED, at(years + 10 * hours), MIDDLE), None);
        assert!(schedule.next_attempt(1, ACCEPTED, at(-years), MIDDLE).unwrap() > at(-years));
        assert!(schedule.next_attempt(u32::MAX, ACCEPTED, at(0), u32::MAX).is_some());
        let _ = schedule.next_attempt(1, Timestamp::MAX, Timestamp::MAX, MIDDLE);
        let _ = schedule.next_attempt(1, Timestamp::MIN, Timestamp::MIN, MIDDLE);
    }
}
