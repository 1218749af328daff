//! A number for each sending limit, and where the windows of the limits begin.

use jiff::Timestamp;

use crate::{Limit, Window};

/// A number for each limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Amounts {
    /// Messages in an hour.
    pub messages_per_hour: u32,
    /// Messages in a day.
    pub messages_per_day: u32,
    /// Recipients in an hour.
    pub recipients_per_hour: u32,
    /// Recipients in a day.
    pub recipients_per_day: u32,
    /// Recipients in a day that the account never sent to before.
    pub new_recipients_per_day: u32,
}

impl Amounts {
    /// What a message to so many recipients is for each limit.
    #[must_use]
    pub fn of_message(recipients: u32, new_recipients: u32) -> Self {
        Self { messages_per_hour: 1, messages_per_day: 1, ..Self::of_recipients(recipients, new_recipients) }
    }

    /// What recipients are, without a message.
    #[must_use]
    pub fn of_recipients(recipients: u32, new_recipients: u32) -> Self {
        Self {
            recipients_per_hour: recipients,
            recipients_per_day: recipients,
            new_recipients_per_day: new_recipients,
            ..Self::default()
        }
    }

    /// The number for this limit.
    #[must_use]
    pub fn of(&self, limit: Limit) -> u32 {
        match limit {
            Limit::MessagesPerHour => self.messages_per_hour,
            Limit::MessagesPerDay => self.messages_per_day,
            Limit::RecipientsPerHour => self.recipients_per_hour,
            Limit::RecipientsPerDay => self.recipients_per_day,
            Limit::NewRecipientsPerDay => self.new_recipients_per_day,
        }
    }

    /// The numbers that this gives for the limits.
    #[must_use]
    pub fn each(number: impl Fn(Limit) -> u32) -> Self {
        Self {
            messages_per_hour: number(Limit::MessagesPerHour),
            messages_per_day: number(Limit::MessagesPerDay),
            recipients_per_hour: number(Limit::RecipientsPerHour),
            recipients_per_day: number(Limit::RecipientsPerDay),
            new_recipients_per_day: number(Limit::NewRecipientsPerDay),
        }
    }

    /// The sums.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self::each(|limit| self.of(limit).saturating_add(other.of(limit)))
    }

    /// What is left without the other, none below nothing.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        Self::each(|limit| self.of(limit).saturating_sub(other.of(limit)))
    }

    /// These numbers for the limits that this holds of, nothing for the others.
    #[must_use]
    pub fn only(&self, is_meant: impl Fn(Limit) -> bool) -> Self {
        Self::each(|limit| if is_meant(limit) { self.of(limit) } else { 0 })
    }
}

/// When the hour and the day of an account began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Windows {
    /// The hour.
    pub hour: Timestamp,
    /// The day.
    pub day: Timestamp,
}

impl Windows {
    /// When the window of this limit began.
    #[must_use]
    pub fn of(&self, limit: Limit) -> Timestamp {
        match limit.window() {
            Window::Hour => self.hour,
            Window::Day => self.day,
        }
    }

    /// Whether neither has ended.
    #[must_use]
    pub fn are_running(&self, now: Timestamp) -> bool {
        Window::Hour.is_running(self.hour, now) && Window::Day.is_running(self.day, now)
    }
}

/// A part of what an account may send in these windows: lent, sent or given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Share {
    /// The windows.
    pub windows: Windows,
    /// How much.
    pub amounts: Amounts,
}

impl Share {
    /// What of it belongs to these windows; of a window that has ended since there is nothing left.
    #[must_use]
    pub fn within(&self, windows: &Windows) -> Amounts {
        self.amounts.only(|limit| self.windows.of(limit) == windows.of(limit))
    }
}
