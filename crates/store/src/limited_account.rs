//! Accounts as those look at them who watch over the sending limits.

use jiff::Timestamp;
use types::Mailbox;

use crate::{CommonLimits, OwnLimits, Sent};

/// An account with what it may send and has sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitedAccount {
    /// Its address.
    pub address: Mailbox,
    /// The limits that it has of its own.
    pub own: OwnLimits,
    /// What it has sent, as far as servers have written it down.
    pub sent: Sent,
}

/// Which accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitedFilter {
    /// Those that have limits of their own.
    Own,
    /// Those that have used at least so much of one of their limits.
    Used {
        /// How much, in hundredths.
        percent: u32,
        /// The limits of accounts that have none of their own.
        common: CommonLimits,
        /// When it is: windows that are over count for nothing.
        now: Timestamp,
    },
}
