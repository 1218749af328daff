//! The five sending limits: what each counts, in which window, and what it is for an account.

use crate::{OwnLimit, OwnLimits, Sent, Tally};
use jiff::{SignedDuration, Timestamp};

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Messages in an hour.
    MessagesPerHour,
    /// Messages in a day.
    MessagesPerDay,
    /// Recipients in an hour.
    RecipientsPerHour,
    /// Recipients in a day.
    RecipientsPerDay,
    /// Recipients in a day that the account never sent to before.
    NewRecipientsPerDay,
}

/// The time that a limit is for. It begins with the first message behind the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// Sixty minutes.
    Hour,
    /// Twenty-four hours.
    Day,
}

/// The limits of accounts that have none of their own; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommonLimits {
    /// Messages in an hour.
    pub messages_per_hour: Option<u32>,
    /// Messages in a day.
    pub messages_per_day: Option<u32>,
    /// Recipients in an hour, each counted for every message.
    pub recipients_per_hour: Option<u32>,
    /// Recipients in a day.
    pub recipients_per_day: Option<u32>,
    /// Recipients in a day that the account never sent to before.
    pub new_recipients_per_day: Option<u32>,
}

/// The limits of an account: its own, and where it has none those of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Those of all.
    pub common: CommonLimits,
    /// Its own.
    pub own: OwnLimits,
}

impl Limit {
    /// All five.
    pub const ALL: [Limit; 5] = [
        Limit::MessagesPerHour,
        Limit::MessagesPerDay,
        Limit::RecipientsPerHour,
        Limit::RecipientsPerDay,
        Limit::NewRecipientsPerDay,
    ];

    /// The key in the configuration and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Limit::MessagesPerHour => "messages_per_hour",
            Limit::MessagesPerDay => "messages_per_day",
            Limit::RecipientsPerHour => "recipients_per_hour",
            Limit::RecipientsPerDay => "recipients_per_day",
            Limit::NewRecipientsPerDay => "new_recipients_per_day",
        }
    }

    /// As people say it, behind a number.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            Limit::MessagesPerHour => "messages an hour",
            Limit::MessagesPerDay => "messages a day",
            Limit::RecipientsPerHour => "recipients an hour",
            Limit::RecipientsPerDay => "recipients a day",
            Limit::NewRecipientsPerDay => "new recipients a day",
        }
    }

    /// The time that it is for.
    #[must_use]
    pub fn window(self) -> Window {
        match self {
            Limit::MessagesPerHour | Limit::RecipientsPerHour => Window::Hour,
            Limit::MessagesPerDay | Limit::RecipientsPerDay | Limit::NewRecipientsPerDay => Window::Day,
        }
    }

    /// What this limit counts of a tally.
    #[must_use]
    pub fn of(self, tally: &Tally) -> u32 {
        match self {
            Limit::MessagesPerHour | Limit::MessagesPerDay => tally.messages,
            Limit::RecipientsPerHour | Limit::RecipientsPerDay => tally.recipients,
            Limit::NewRecipientsPerDay => tally.new_recipients,
        }
    }
}

impl Window {
    /// How long it lasts.
    #[must_use]
    pub fn length(self) -> SignedDuration {
        match self {
            Window::Hour => SignedDuration::from_hours(1),
            Window::Day => SignedDuration::from_hours(24),
        }
    }

    /// When the window that began then ends; the far end of time at the end of the calendar.
    #[must_use]
    pub fn end(self, since: Timestamp) -> Timestamp {
        since.checked_add(self.length()).unwrap_or(Timestamp::MAX)
    }

    /// Whether the window that began then has not ended. One that begins ahead began before the clock was set back; by more than its
    /// length, and it is over.
    #[must_use]
    pub fn is_running(self, since: Timestamp, now: Timestamp) -> bool {
        now < self.end(since) && since.duration_since(now) <= self.length()
    }

    /// The tally of this window as it stands now; `None` if there is no window, because it has ended, or nothing that
    /// was sent in it has been kept. A clock that was set back makes it begin now, or by more than the window ends it:
    /// nobody waits until the clock is there again.
    #[must_use]
    pub fn running(self, sent: &Sent, now: Timestamp) -> Option<Tally> {
        let tally = match self {
            Window::Hour => sent.hour,
            Window::Day => sent.day,
        };
        let is_running = tally.messages > 0 && self.is_running(tally.since, now);
        is_running.then(|| Tally { since: tally.since.min(now), ..tally })
    }
}

impl Limits {
    /// How many there may be; `None` is no limit.
    #[must_use]
    pub fn at_most(&self, limit: Limit) -> Option<u32> {
        match own(&self.own, limit) {
            None => common(&self.common, limit),
            Some(OwnLimit::AtMost(number)) => Some(number),
            Some(OwnLimit::Unlimited) => None,
        }
    }

    /// Whether it is the account's own.
    #[must_use]
    pub fn is_own(&self, limit: Limit) -> bool {
        own(&self.own, limit).is_some()
    }
}

/// What an account has of its own.
fn own(own: &OwnLimits, limit: Limit) -> Option<OwnLimit> {
    match limit {
        Limit::MessagesPerHour => own.messages_per_hour,
        Limit::MessagesPerDay => own.messages_per_day,
        Limit::RecipientsPerHour => own.recipients_per_hour,
        Limit::RecipientsPerDay => own.recipients_per_day,
        Limit::NewRecipientsPerDay => own.new_recipients_per_day,
    }
}

fn common(common: &CommonLimits, limit: Limit) -> Option<u32> {
    match limit {
        Limit::MessagesPerHour => common.messages_per_hour,
        Limit::MessagesPerDay => common.messages_per_day,
        Limit::RecipientsPerHour => common.recipients_per_hour,
        Limit::RecipientsPerDay => common.recipients_per_day,
        Limit::NewRecipientsPerDay => common.new_recipients_per_day,
    }
}
