//! The counter, alone and in whatever order.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use proptest::prelude::*;
use store::{CommonLimits, OwnLimit, OwnLimits};

use super::*;

const UNLIMITED: CommonLimits = CommonLimits {
    messages_per_hour: None,
    messages_per_day: None,
    recipients_per_hour: None,
    recipients_per_day: None,
    new_recipients_per_day: None,
};

fn limits(common: CommonLimits) -> Limits {
    Limits { common, own: OwnLimits::default() }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

#[test]
fn a_window_begins_with_its_first_message_and_ends_an_hour_later() {
    let limits = limits(CommonLimits { messages_per_hour: Some(2), ..UNLIMITED });
    let mut counter = Counter::default();
    assert!(counter.take(&limits, 1, 0, at(0)).is_ok());
    assert!(counter.take(&limits, 1, 0, at(HOUR - 1)).is_ok());
    let full = counter.take(&limits, 1, 0, at(HOUR - 1)).unwrap_err();
    assert_eq!(full, Full { limit: Limit::MessagesPerHour, at_most: 2, wait: Duration::from_secs(1) });
    assert!(counter.take(&limits, 1, 0, at(HOUR + 600)).is_ok());
    assert!(counter.take(&limits, 1, 0, at(2 * HOUR + 599)).is_ok());
    assert!(counter.take(&limits, 1, 0, at(2 * HOUR + 599)).is_err());
    assert_eq!(counter.sent().day.messages, 4);
}

#[test]
fn each_limit_counts_what_it_says() {
    let table = [
        (CommonLimits { messages_per_hour: Some(3), ..UNLIMITED }, 3, "messages an hour"),
        (CommonLimits { messages_per_day: Some(4), ..UNLIMITED }, 4, "messages a day"),
        (CommonLimits { recipients_per_hour: Some(20), ..UNLIMITED }, 2, "recipients an hour"),
        (CommonLimits { recipients_per_day: Some(50), ..UNLIMITED }, 5, "recipients a day"),
        (CommonLimits { new_recipients_per_day: Some(12), ..UNLIMITED }, 6, "new recipients a day"),
    ];
    for (common, expected, what) in table {
        let (limits, mut counter) = (limits(common), Counter::default());
        let taken = (0..20).filter(|second| counter.take(&limits, 10, 2, at(*second)).is_ok()).count();
        assert_eq!(taken, expected, "{what}");
        let Err(full) = counter.take(&limits, 10, 2, at(20)) else { panic!("{what}") };
        assert_eq!(full.limit.what(), what);
    }
}

#[test]
fn own_limits_go_before_the_configuration() {
    let common = CommonLimits { messages_per_hour: Some(1), messages_per_day: Some(1), ..UNLIMITED };
    let own = OwnLimits {
        messages_per_hour: Some(OwnLimit::AtMost(3)),
        messages_per_day: Some(OwnLimit::Unlimited),
        ..OwnLimits::default()
    };
    let (limits, mut counter) = (Limits { common, own }, Counter::default());
    assert_eq!((0..9).filter(|_| counter.take(&limits, 1, 1, at(0)).is_ok()).count(), 3);
}

#[test]
fn of_several_full_limits_the_one_that_lasts_longest_is_told() {
    let common = CommonLimits { messages_per_hour: Some(1), recipients_per_day: Some(1), ..UNLIMITED };
    let (limits, mut counter) = (limits(common), Counter::default());
    counter.take(&limits, 1, 0, at(0)).unwrap();
    let full = counter.take(&limits, 1, 0, at(60)).unwrap_err();
    assert_eq!((full.limit, full.wait), (Limit::RecipientsPerDay, Duration::from_secs(86_340)));
}

#[test]
fn what_never_fits_is_refused_in_an_empty_window_too() {
    let limits = limits(CommonLimits { recipients_per_hour: Some(5), ..UNLIMITED });
    let full = Counter::default().take(&limits, 6, 0, at(0)).unwrap_err();
    assert_eq!((full.limit, full.wait), (Limit::RecipientsPerHour, Duration::from_secs(3600)));
}

#[test]
fn what_is_given_back_was_never_there() {
    let limits = limits(CommonLimits { messages_per_hour: Some(1), ..UNLIMITED });
    let mut counter = Counter::default();
    let taken = counter.take(&limits, 7, 7, at(0)).unwrap();
    counter.give_back(&taken);
    assert!(counter.is_idle(at(0)));
    counter.take(&limits, 1, 1, at(HOUR - 1)).unwrap();
    assert!(
        counter.take(&limits, 1, 1, at(HOUR)).is_err(),
        "the window began with the message that was kept"
    );
    // Of a window that has ended there is nothing to give back.
    counter.take(&limits, 1, 1, at(2 * HOUR)).unwrap();
    counter.give_back(&taken);
    assert_eq!((counter.sent().hour.messages, counter.sent().day.messages), (1, 2));
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out() {
    let limits = limits(CommonLimits { messages_per_day: Some(1), ..UNLIMITED });
    let mut counter = Counter::default();
    counter.take(&limits, 1, 0, at(1000 * DAY)).unwrap();
    counter.take(&limits, 1, 0, at(2 * DAY)).unwrap();
    let full = counter.take(&limits, 1, 0, at(DAY)).unwrap_err();
    assert_eq!(full.wait, Duration::from_secs(86_400));
    assert!(counter.take(&limits, 1, 0, at(3 * DAY - 1)).is_err());
    counter.take(&limits, 1, 0, at(3 * DAY)).unwrap();
}

#[test]
fn nearness_is_told_once_a_window() {
    let limits =
        limits(CommonLimits { messages_per_hour: Some(5), recipients_per_day: Some(1), ..UNLIMITED });
    let mut counter = Counter::default();
    let mut told = Vec::new();
    for second in [0, 1, 2, 3, 4, HOUR, HOUR + 1, HOUR + 2, HOUR + 3, HOUR + 4] {
        let recipients = u32::from(second == 0);
        counter.take(&limits, recipients, 0, at(second)).unwrap();
        told.extend(counter.newly_near(&limits, at(second)).into_iter().map(|(limit, _)| (limit, second)));
    }
    let expected =
        [(Limit::RecipientsPerDay, 0), (Limit::MessagesPerHour, 3), (Limit::MessagesPerHour, HOUR + 3)];
    assert_eq!(told, expected);
}

/// Adds up what was kept in each window, and sees that no two of them overlap.
fn windows(kept: impl Iterator<Item = Tally>, length: SignedDuration) -> Vec<Tally> {
    let mut windows = BTreeMap::<Timestamp, Tally>::new();
    for tally in kept {
        let window = windows.entry(tally.since).or_insert(Tally { since: tally.since, ..Tally::default() });
        *window = sum(*window, tally);
    }
    let windows: Vec<_> = windows.into_values().collect();
    assert!(windows.windows(2).all(|pair| pair[1].since.duration_since(pair[0].since) >= length));
    windows
}

#[derive(Debug, Clone)]
enum Step {
    Wait(i64),
    Send {
        recipients: u32,
        new: u32,
    },
    /// The commit of one of those that are under way fails, or succeeds.
    Settle {
        which: usize,
        kept: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => (0..2 * HOUR).prop_map(Step::Wait),
        1 => Just(Step::Wait(DAY)),
        8 => (1..4_u32, 0..4_u32).prop_map(|(recipients, new)| Step::Send { recipients, new: new.min(recipients) }),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(which, kept)| Step::Settle { which, kept }),
    ];
    proptest::collection::vec(step, 0..120)
}

proptest! {
    /// Messages under way at the same time, kept or given back in any order: no window ever has more than its limit.
    #[test]
    fn no_window_has_more_than_its_limit(steps in steps(), numbers in proptest::array::uniform5(1..12_u32)) {
        let [messages_per_hour, messages_per_day, recipients_per_hour, recipients_per_day, new_recipients_per_day] = numbers.map(Some);
        let limits = limits(CommonLimits {
            messages_per_hour, messages_per_day, recipients_per_hour, recipients_per_day, new_recipients_per_day,
        });
        let (mut counter, mut now) = (Counter::default(), at(0));
        let (mut under_way, mut kept) = (Vec::<Taken>::new(), Vec::<Taken>::new());
        for step in steps {
            match step {
                Step::Wait(seconds) => now += SignedDuration::from_secs(seconds),
                Step::Send { recipients, new } => {
                    under_way.extend(counter.take(&limits, recipients, new, now).ok());
                }
                Step::Settle { .. } if under_way.is_empty() => {}
                Step::Settle { which, kept: is_kept } => {
                    let taken = under_way.remove(which % under_way.len());
                    if is_kept { kept.push(taken) } else { counter.give_back(&taken) }
                }
            }
        }
        kept.append(&mut under_way);
        let hours = windows(kept.iter().map(|taken| taken.hour), Window::Hour.length());
        let days = windows(kept.iter().map(|taken| taken.day), Window::Day.length());
        for limit in Limit::ALL {
            let windows = if limit.window() == Window::Hour { &hours } else { &days };
            prop_assert!(windows.iter().all(|tally| limit.of(tally) <= limits.at_most(limit).unwrap()), "{limit:?} {windows:?}");
        }
    }
}
