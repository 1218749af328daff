//! What a server may send for an account before it asks the store again.

use jiff::Timestamp;

use crate::{Amounts, Limit, Limits, Share};

/// What is lent to a server, and where the account stands as far as the server knows.
#[derive(Debug, Clone, Copy)]
pub struct Loan {
    /// What is left of it.
    pub(crate) share: Share,
    /// What counted without this loan when it was made, and what was sent of it since.
    pub(crate) counted: Amounts,
    /// The limits that it was made under.
    pub(crate) limits: Limits,
}

impl Loan {
    /// What may still be sent of it, to be given back.
    #[must_use]
    pub fn left(&self) -> Share {
        self.share
    }

    /// What counts for this limit since its window began: what was sent, as far as the server knows, and what others have borrowed.
    #[must_use]
    pub fn counted(&self, limit: Limit) -> u32 {
        self.counted.of(limit)
    }

    /// When the window of this limit began.
    #[must_use]
    pub fn since(&self, limit: Limit) -> Timestamp {
        self.share.windows.of(limit)
    }

    /// Whether the window of this limit has not ended.
    #[must_use]
    pub fn is_running(&self, limit: Limit, now: Timestamp) -> bool {
        limit.window().is_running(self.since(limit), now)
    }

    /// Whether so much can be sent of it, under these limits and now.
    #[must_use]
    pub fn covers(&self, wanted: &Amounts, limits: &Limits, now: Timestamp) -> bool {
        let has_room = Limit::ALL.iter().all(|limit| wanted.of(*limit) <= self.share.amounts.of(*limit));
        has_room && self.limits == *limits && self.share.windows.are_running(now)
    }

    /// Sends so much of it; ask first whether it [covers](Loan::covers) that.
    pub fn take(&mut self, wanted: &Amounts) -> Share {
        self.share.amounts = self.share.amounts.minus(wanted);
        self.counted = self.counted.plus(wanted);
        Share { windows: self.share.windows, amounts: *wanted }
    }

    /// What was taken is not sent after all. It may have been taken of an earlier loan; of windows that have ended since there is
    /// nothing to put back.
    pub fn put_back(&mut self, taken: &Share) {
        let amounts = taken.within(&self.share.windows);
        self.share.amounts = self.share.amounts.plus(&amounts);
        self.counted = self.counted.minus(&amounts);
    }
}
