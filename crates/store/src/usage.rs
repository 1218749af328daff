//! What an account has sent in its hour and its day, and what of its limits is lent to servers.
//!
//! A server that had to ask the store about every message would wait for a sync with every message. So it borrows a block, and
//! sends of that. What is lent counts as sent: however many servers borrow, and whatever becomes of them, no window has more than
//! its limits in it. A server that dies leaves its block unused until the window ends, so blocks are small, and near the
//! limit smaller still.

use std::time::Duration;

use jiff::Timestamp;

use crate::{Amounts, Limit, Limits, Loan, Share, Windows};

/// How much more than what is wanted is lent at most where there is a limit.
const BLOCK: u32 = 50;

/// The same where there is none, and nobody is kept waiting by what a dead server has left unused.
const UNLIMITED_BLOCK: u32 = 10_000;

/// Where an account stands. Whatever is asked of it in whatever order, no window has more than its limits in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// When the hour and the day began.
    pub windows: Windows,
    /// What was sent in them.
    pub used: Amounts,
    /// What may be sent without asking, or was, and is not told yet.
    pub lent: Amounts,
}

/// A limit that leaves no room for what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full {
    /// Which limit.
    pub limit: Limit,
    /// How many it allows.
    pub at_most: u32,
    /// When its window ends.
    pub wait: Duration,
}

impl Usage {
    /// What counts now: what was sent, and what is lent.
    #[must_use]
    pub fn counted(&self) -> Amounts {
        self.used.plus(&self.lent)
    }

    /// Whether neither window has anything in it: then there is nothing to remember.
    #[must_use]
    pub fn is_idle(&self, now: Timestamp) -> bool {
        self.begun(now).counted() == Amounts::default()
    }

    /// Lends what is wanted and no more.
    ///
    /// # Errors
    /// If a limit leaves no room for it. Of several the one whose window ends last.
    pub fn take(&mut self, wanted: &Amounts, limits: &Limits, now: Timestamp) -> Result<Share, Full> {
        let begun = self.begun(now);
        let full =
            Limit::ALL.into_iter().filter_map(|limit| begun.full(limit, wanted.of(limit), limits, now));
        if let Some(full) = full.max_by_key(|full| full.wait) {
            return Err(full);
        }
        *self = Self { lent: begun.lent.plus(wanted), ..begun };
        Ok(Share { windows: self.windows, amounts: *wanted })
    }

    /// Lends what is wanted and a block besides, in exchange for what is `left` of an earlier loan. A store with so many `nodes`
    /// lends each at most its part of one half of what there is, so that the last of them finds something, too.
    ///
    /// # Errors
    /// As [`Usage::take`]; then what was left is lent as before.
    pub fn lend(
        &mut self,
        left: &Share,
        wanted: &Amounts,
        limits: &Limits,
        nodes: u32,
        now: Timestamp,
    ) -> Result<Loan, Full> {
        let mut changed = *self;
        changed.give_back(left);
        let mut share = changed.take(wanted, limits, now)?;
        let counted = changed.counted().minus(wanted);
        let block = Amounts::each(|limit| match limits.at_most(limit) {
            Some(at_most) => (at_most.saturating_sub(changed.counted().of(limit))
                / nodes.saturating_mul(2).max(1))
            .min(BLOCK),
            None => UNLIMITED_BLOCK,
        });
        changed.lent = changed.lent.plus(&block);
        share.amounts = share.amounts.plus(&block);
        *self = changed;
        Ok(Loan { share, counted, limits: *limits })
    }

    /// Takes back what was lent in windows that have not ended since.
    pub fn give_back(&mut self, share: &Share) {
        self.lent = self.lent.minus(&share.within(&self.windows));
    }

    /// As it stands now: a window that has ended, or that has nothing in it, begins now. A clock that was set back makes it begin now,
    /// or by more than the window ends it: nobody waits until the clock is there again.
    fn begun(&self, now: Timestamp) -> Self {
        let now = in_milliseconds(now);
        let counted = self.counted();
        let goes_on = |limit: Limit| {
            let window = limit.window();
            let is_empty = !Limit::ALL.iter().any(|other| other.window() == window && counted.of(*other) > 0);
            !is_empty && window.is_running(self.windows.of(limit), now)
        };
        let (hour, day) = (goes_on(Limit::MessagesPerHour), goes_on(Limit::MessagesPerDay));
        let begun = |goes_on, since: Timestamp| if goes_on { since.min(now) } else { now };
        Self {
            windows: Windows { hour: begun(hour, self.windows.hour), day: begun(day, self.windows.day) },
            used: self.used.only(goes_on),
            lent: self.lent.only(goes_on),
        }
    }

    fn full(&self, limit: Limit, wanted: u32, limits: &Limits, now: Timestamp) -> Option<Full> {
        let at_most = limits.at_most(limit)?;
        let is_full = wanted > 0 && self.counted().of(limit).saturating_add(wanted) > at_most;
        // What does not even fit into an empty window can be sent in parts, in windows one after the other.
        let wait = limit.window().end(self.windows.of(limit)).duration_since(now);
        is_full.then(|| Full { limit, at_most, wait: wait.unsigned_abs() })
    }
}

/// As a store keeps it, so that a share knows its window again.
fn in_milliseconds(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

#[cfg(test)]
mod tests;
