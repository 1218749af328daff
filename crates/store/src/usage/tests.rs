//! What an account has sent and borrowed, asked by one or by two, in whatever order.

use std::collections::BTreeMap;

use super::*;
use crate::{CommonLimits, OwnLimit, OwnLimits};
use jiff::SignedDuration;
use proptest::prelude::*;

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

/// Counts a message.
fn send(
    usage: &mut Usage,
    limits: &Limits,
    recipients: u32,
    new_recipients: u32,
    now: Timestamp,
) -> Result<Share, Full> {
    usage.take(&Amounts::of_message(recipients, new_recipients), limits, now)
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

#[test]
fn a_window_begins_with_its_first_message_and_ends_an_hour_later() {
    let limits = limits(CommonLimits { messages_per_hour: Some(2), ..UNLIMITED });
    let mut usage = Usage::default();
    assert!(send(&mut usage, &limits, 1, 0, at(0)).is_ok());
    assert!(send(&mut usage, &limits, 1, 0, at(HOUR - 1)).is_ok());
    let full = send(&mut usage, &limits, 1, 0, at(HOUR - 1)).unwrap_err();
    assert_eq!(full, Full { limit: Limit::MessagesPerHour, at_most: 2, wait: Duration::from_secs(1) });
    assert!(send(&mut usage, &limits, 1, 0, at(HOUR + 600)).is_ok());
    assert!(send(&mut usage, &limits, 1, 0, at(2 * HOUR + 599)).is_ok());
    assert!(send(&mut usage, &limits, 1, 0, at(2 * HOUR + 599)).is_err());
    assert_eq!(usage.counted().messages_per_day, 4);
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
        let (limits, mut usage) = (limits(common), Usage::default());
        let taken = (0..20).filter(|second| send(&mut usage, &limits, 10, 2, at(*second)).is_ok()).count();
        assert_eq!(taken, expected, "{what}");
        let Err(full) = send(&mut usage, &limits, 10, 2, at(20)) else { panic!("{what}") };
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
    let (limits, mut usage) = (Limits { common, own }, Usage::default());
    assert_eq!((0..9).filter(|_| send(&mut usage, &limits, 1, 1, at(0)).is_ok()).count(), 3);
}

#[test]
fn of_several_full_limits_the_one_that_lasts_longest_is_told() {
    let common = CommonLimits { messages_per_hour: Some(1), recipients_per_day: Some(1), ..UNLIMITED };
    let (limits, mut usage) = (limits(common), Usage::default());
    send(&mut usage, &limits, 1, 0, at(0)).unwrap();
    let full = send(&mut usage, &limits, 1, 0, at(60)).unwrap_err();
    assert_eq!((full.limit, full.wait), (Limit::RecipientsPerDay, Duration::from_secs(86_340)));
}

#[test]
fn what_never_fits_is_refused_in_an_empty_window_too() {
    let limits = limits(CommonLimits { recipients_per_hour: Some(5), ..UNLIMITED });
    let full = send(&mut Usage::default(), &limits, 6, 0, at(0)).unwrap_err();
    assert_eq!((full.limit, full.wait), (Limit::RecipientsPerHour, Duration::from_secs(3600)));
}

#[test]
fn what_is_given_back_was_never_there() {
    let limits = limits(CommonLimits { messages_per_hour: Some(1), ..UNLIMITED });
    let mut usage = Usage::default();
    let taken = send(&mut usage, &limits, 7, 7, at(0)).unwrap();
    usage.give_back(&taken);
    assert!(usage.is_idle(at(0)));
    send(&mut usage, &limits, 1, 1, at(HOUR - 1)).unwrap();
    assert!(
        send(&mut usage, &limits, 1, 1, at(HOUR)).is_err(),
        "the window began with the message that was kept"
    );
    // Of a window that has ended there is nothing to give back.
    send(&mut usage, &limits, 1, 1, at(2 * HOUR)).unwrap();
    usage.give_back(&taken);
    assert_eq!((usage.counted().messages_per_hour, usage.counted().messages_per_day), (1, 2));
}

#[test]
fn a_clock_that_is_set_back_locks_nobody_out() {
    let limits = limits(CommonLimits { messages_per_day: Some(1), ..UNLIMITED });
    let mut usage = Usage::default();
    send(&mut usage, &limits, 1, 0, at(1000 * DAY)).unwrap();
    send(&mut usage, &limits, 1, 0, at(2 * DAY)).unwrap();
    let full = send(&mut usage, &limits, 1, 0, at(DAY)).unwrap_err();
    assert_eq!(full.wait, Duration::from_secs(86_400));
    assert!(send(&mut usage, &limits, 1, 0, at(3 * DAY - 1)).is_err());
    send(&mut usage, &limits, 1, 0, at(3 * DAY)).unwrap();
}

#[test]
fn a_block_is_lent_and_near_the_limit_less() {
    let limits = limits(CommonLimits { messages_per_hour: Some(200), ..UNLIMITED });
    let (mut usage, mut lent) = (Usage::default(), Vec::new());
    while let Ok(loan) = usage.lend(&Share::default(), &Amounts::of_message(1, 1), &limits, 2, at(0)) {
        lent.push(loan.left().amounts.messages_per_hour);
    }
    assert_eq!(lent[..3], [50, 38, 28]);
    assert!(lent.ends_with(&[1, 1, 1]), "{lent:?}");
    assert_eq!((lent.iter().sum::<u32>(), usage.lent.messages_per_hour), (200, 200));
}

#[test]
fn another_loan_takes_the_place_of_what_is_left() {
    let limits = limits(CommonLimits { messages_per_hour: Some(60), ..UNLIMITED });
    let (mut usage, one) = (Usage::default(), Amounts::of_message(1, 0));
    let mut loan = usage.lend(&Share::default(), &one, &limits, 1, at(0)).unwrap();
    let taken = loan.take(&one);
    let many = Amounts { messages_per_hour: 59, ..one };
    assert!(!loan.covers(&many, &limits, at(1)));
    let mut loan = usage.lend(&loan.left(), &many, &limits, 1, at(1)).unwrap();
    assert_eq!((loan.left().amounts.messages_per_hour, loan.counted(Limit::MessagesPerHour)), (59, 1));
    loan.put_back(&taken);
    assert_eq!((loan.left().amounts.messages_per_hour, loan.counted(Limit::MessagesPerHour)), (60, 0));
    let full = usage.lend(&loan.left(), &Amounts { messages_per_hour: 61, ..one }, &limits, 1, at(1));
    assert_eq!(full.unwrap_err().limit, Limit::MessagesPerHour);
    assert_eq!(usage.lent.messages_per_hour, 60, "the loan stands");
}

#[test]
fn a_loan_is_good_for_its_windows_and_its_limits() {
    let (few, more) = (limits(CommonLimits { messages_per_hour: Some(5), ..UNLIMITED }), limits(UNLIMITED));
    let one = Amounts::of_message(1, 0);
    let loan = Usage::default().lend(&Share::default(), &one, &few, 1, at(0)).unwrap();
    assert!(loan.covers(&one, &few, at(HOUR - 1)));
    assert!(!loan.covers(&one, &few, at(HOUR)) && !loan.covers(&one, &more, at(0)));
}

/// Adds up what was kept in each window of this limit, and sees that no two of them overlap.
fn windows(kept: &[Share], limit: Limit) -> Vec<u32> {
    let mut windows = BTreeMap::<Timestamp, u32>::new();
    for share in kept {
        *windows.entry(share.windows.of(limit)).or_default() += share.amounts.of(limit);
    }
    let begun: Vec<_> = windows.keys().collect();
    let length = limit.window().length();
    assert!(begun.windows(2).all(|pair| pair[1].duration_since(*pair[0]) >= length));
    windows.into_values().collect()
}

#[derive(Debug, Clone)]
enum Step {
    Wait(i64),
    /// Either of two servers.
    Send {
        server: usize,
        recipients: u32,
        new: u32,
    },
    /// The commit of one of those that are under way fails, or succeeds.
    Settle {
        which: usize,
        kept: bool,
    },
    /// A server dies, and forgets what it has borrowed.
    Die {
        server: usize,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let send = (0..2_usize, 1..4_u32, 0..4_u32);
    let step = prop_oneof![
        2 => (0..2 * HOUR).prop_map(Step::Wait),
        1 => Just(Step::Wait(DAY)),
        8 => send.prop_map(|(server, recipients, new)| Step::Send { server, recipients, new: new.min(recipients) }),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(which, kept)| Step::Settle { which, kept }),
        1 => (0..2_usize).prop_map(|server| Step::Die { server }),
    ];
    proptest::collection::vec(step, 0..120)
}

/// Two servers and what they have borrowed, or one that borrows nothing in advance.
struct Scene {
    usage: Usage,
    loans: [Option<Loan>; 2],
    under_way: Vec<(usize, Share)>,
    kept: Vec<Share>,
    borrows: bool,
}

impl Scene {
    fn send(&mut self, server: usize, wanted: &Amounts, limits: &Limits, now: Timestamp) {
        if !self.borrows {
            return self
                .under_way
                .extend(self.usage.take(wanted, limits, now).ok().map(|share| (server, share)));
        }
        if !self.loans[server].is_some_and(|loan| loan.covers(wanted, limits, now)) {
            let left = self.loans[server].map(|loan| loan.left()).unwrap_or_default();
            let Ok(loan) = self.usage.lend(&left, wanted, limits, 2, now) else { return };
            self.loans[server] = Some(loan);
        }
        let share = self.loans[server].as_mut().unwrap().take(wanted);
        self.under_way.push((server, share));
    }

    fn settle(&mut self, which: usize, is_kept: bool) {
        let (server, share) = self.under_way.remove(which % self.under_way.len());
        match &mut self.loans[server] {
            _ if is_kept => {
                let used = share.within(&self.usage.windows);
                self.usage.give_back(&share);
                self.usage.used = self.usage.used.plus(&used);
                self.kept.push(share);
            }
            Some(loan) => loan.put_back(&share),
            None => self.usage.give_back(&share),
        }
    }

    fn play(&mut self, steps: Vec<Step>, limits: &Limits) {
        let mut now = at(0);
        for step in steps {
            match step {
                Step::Wait(seconds) => now += SignedDuration::from_secs(seconds),
                Step::Send { server, recipients, new } => {
                    self.send(server, &Amounts::of_message(recipients, new), limits, now);
                }
                Step::Settle { which, kept } if !self.under_way.is_empty() => self.settle(which, kept),
                Step::Settle { .. } => {}
                Step::Die { server } => self.loans[server] = None,
            }
        }
        self.kept.extend(self.under_way.drain(..).map(|(_, share)| share));
    }
}

proptest! {
    /// Messages under way at the same time, kept or given back in any order, sent by one server or by two that borrow and die: no
    /// window ever has more than its limit.
    #[test]
    fn no_window_has_more_than_its_limit(
        steps in steps(),
        numbers in proptest::array::uniform5(1..12_u32),
        borrows: bool,
    ) {
        let [messages_per_hour, messages_per_day, recipients_per_hour, recipients_per_day, new_recipients_per_day] = numbers.map(Some);
        let limits = limits(CommonLimits {
            messages_per_hour, messages_per_day, recipients_per_hour, recipients_per_day, new_recipients_per_day,
        });
        let mut scene =
            Scene { usage: Usage::default(), loans: [None; 2], under_way: Vec::new(), kept: Vec::new(), borrows };
        scene.play(steps, &limits);
        for limit in Limit::ALL {
            let windows = windows(&scene.kept, limit);
            prop_assert!(windows.iter().all(|sum| *sum <= limits.at_most(limit).unwrap()), "{limit:?} {windows:?}");
        }
    }
}
