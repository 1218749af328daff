//! What one account has sent in its hour and its day.

use std::collections::HashMap;
use std::time::Duration;

use esmtp::Rejection;
use jiff::Timestamp;
use store::{Limit, Limits, Sent, Tally, Window};

/// Counts for one account. Whatever is asked of it in whatever order, no window has more than its limits in it.
#[derive(Debug, Default)]
pub(super) struct Counter {
    sent: Sent,
    /// Of which windows something was told already: each thing is told once.
    told: HashMap<(Limit, News), Timestamp>,
}

/// What the operator should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum News {
    /// Four fifths of a limit are used.
    Near,
    /// Something was refused.
    Reached,
}

/// A limit that leaves no room for what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full {
    pub(super) limit: Limit,
    pub(super) at_most: u32,
    pub(super) wait: Duration,
}

/// What a message was counted as, and in which windows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taken {
    hour: Tally,
    day: Tally,
}

impl Counter {
    /// Goes on from what was written down.
    pub(super) fn resume(sent: Sent) -> Self {
        Self { sent, told: HashMap::new() }
    }

    pub(super) fn sent(&self) -> Sent {
        self.sent
    }

    /// Whether neither window runs: then there is nothing to remember.
    pub(super) fn is_idle(&self, now: Timestamp) -> bool {
        [Window::Hour, Window::Day].iter().all(|window| window.running(&self.sent, now).is_none())
    }

    pub(super) fn used(&self, limit: Limit, now: Timestamp) -> u32 {
        limit.window().running(&self.sent, now).map_or(0, |tally| limit.of(&tally))
    }

    /// Whether there is room for so much more, which says for each limit how much; of several limits that leave none,
    /// the one that lasts longest.
    pub(super) fn room(
        &self,
        limits: &Limits,
        more: impl Fn(Limit) -> u32,
        now: Timestamp,
    ) -> Result<(), Full> {
        let full = Limit::ALL.into_iter().filter_map(|limit| self.full(limits, limit, more(limit), now));
        full.max_by_key(|full| full.wait).map_or(Ok(()), Err)
    }

    fn full(&self, limits: &Limits, limit: Limit, more: u32, now: Timestamp) -> Option<Full> {
        let at_most = limits.at_most(limit)?;
        let window = limit.window();
        let running = window.running(&self.sent, now);
        let used = running.map_or(0, |tally| limit.of(&tally));
        let is_full = more > 0 && used.saturating_add(more) > at_most;
        // What does not even fit into an empty window can be sent in parts, in windows one after the other.
        let wait = running.map_or(window.length(), |tally| window.end(&tally).duration_since(now));
        is_full.then(|| Full { limit, at_most, wait: wait.unsigned_abs() })
    }

    /// Counts a message to so many recipients, if there is room for it.
    pub(super) fn take(
        &mut self,
        limits: &Limits,
        recipients: u32,
        new_recipients: u32,
        now: Timestamp,
    ) -> Result<Taken, Full> {
        let message = Tally { since: now, messages: 1, recipients, new_recipients };
        self.room(limits, |limit| limit.of(&message), now)?;
        let begun = |window: Window, sent| {
            window.running(sent, now).unwrap_or(Tally { since: now, ..Tally::default() })
        };
        let (hour, day) = (begun(Window::Hour, &self.sent), begun(Window::Day, &self.sent));
        self.sent = Sent { hour: sum(hour, message), day: sum(day, message) };
        Ok(Taken { hour: Tally { since: hour.since, ..message }, day: Tally { since: day.since, ..message } })
    }

    /// Takes a message out again, which was not kept after all, of the windows in which it was counted.
    pub(super) fn give_back(&mut self, taken: &Taken) {
        take_out(&mut self.sent.hour, &taken.hour);
        take_out(&mut self.sent.day, &taken.day);
    }

    /// Those limits of which four fifths are used, the first time in their windows.
    pub(super) fn newly_near(&mut self, limits: &Limits, now: Timestamp) -> Vec<(Limit, u32)> {
        let near = |limit: &Limit| {
            let at_most = limits.at_most(*limit)?;
            let near = u64::from(self.used(*limit, now)) * 5 >= u64::from(at_most) * 4;
            near.then_some((*limit, at_most))
        };
        let near: Vec<_> = Limit::ALL.iter().filter_map(near).collect();
        near.into_iter().filter(|(limit, _)| self.is_first(*limit, News::Near)).collect()
    }

    /// Whether this has not yet been told of the limit's window, and is now.
    pub(super) fn is_first(&mut self, limit: Limit, news: News) -> bool {
        let since = match limit.window() {
            Window::Hour => self.sent.hour.since,
            Window::Day => self.sent.day.since,
        };
        self.told.insert((limit, news), since) != Some(since)
    }
}

impl From<Full> for Rejection {
    fn from(Full { limit, at_most, wait }: Full) -> Self {
        Rejection::SendingLimit { limit: at_most, what: limit.what(), wait }
    }
}

fn sum(one: Tally, other: Tally) -> Tally {
    Tally {
        since: one.since,
        messages: one.messages.saturating_add(other.messages),
        recipients: one.recipients.saturating_add(other.recipients),
        new_recipients: one.new_recipients.saturating_add(other.new_recipients),
    }
}

/// A window that has ended since has nothing of it.
fn take_out(from: &mut Tally, taken: &Tally) {
    if from.since == taken.since {
        from.messages = from.messages.saturating_sub(taken.messages);
        from.recipients = from.recipients.saturating_sub(taken.recipients);
        from.new_recipients = from.new_recipients.saturating_sub(taken.new_recipients);
    }
}

#[cfg(test)]
mod tests;
