//! What is counted of messages on their way in, for whoever watches the server.

use esmtp::Rejection;
use types::{Counter, Tally};

/// Counts since the server began.
#[derive(Debug, Default)]
pub struct Counters {
    /// Messages that got their 250, without those that were handed in before.
    pub accepted: Counter,
    /// Their octets, as they came.
    pub accepted_octets: Counter,
    /// Messages that were handed in before, and got a 250 all the same.
    pub duplicates: Counter,
    /// Senders, recipients and messages that were refused, by [`Rejection::reason`].
    pub refused: Tally<&'static str>,
    /// How often an account or a machine wanted to send more than it may, by what there is a limit of: `messages an hour`.
    pub limited: Tally<&'static str>,
}

impl Counters {
    pub(crate) fn count_accepted(&self, octets: u64) {
        self.accepted.count();
        self.accepted_octets.add(octets);
    }

    pub(crate) fn count_refused(&self, reason: &Rejection) {
        self.refused.count(reason.reason());
        if let Rejection::SendingLimit { what, .. } = reason {
            self.limited.count(what);
        }
    }
}
