//! What is counted of mail on its way out, for whoever watches the server.

use std::time::Duration;

use jiff::Timestamp;
use store::{Outcome, Submission};
use types::{Buckets, Tally};

use crate::fate;
use crate::parcel::Parcel;

/// Counts since the server began.
#[derive(Debug)]
pub struct Counters {
    /// What became of recipients, by the event that the log has of it: `delivered`, `deferred`, `failed` or `held`.
    pub recipients: Tally<&'static str>,
    /// How long recipients who have their mail had waited for it since its 250.
    pub waited: Buckets,
    /// Attempts to deliver, by whether whoever was asked has `answered` or not (`unanswered`).
    pub attempts: Tally<&'static str>,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            recipients: Tally::of(["delivered", "deferred", "failed", "held"]),
            waited: Buckets::of_time(),
            attempts: Tally::of(["answered", "unanswered"]),
        }
    }
}

impl Counters {
    pub(crate) fn tried(&self, answered: bool) {
        self.attempts.count(if answered { "answered" } else { "unanswered" });
    }

    /// Counts what was recorded of a parcel.
    pub(crate) fn recorded(&self, parcel: &Parcel, outcomes: &[(u32, Outcome)], now: Timestamp) {
        for (_, outcome) in outcomes {
            self.recipients.count(fate::event(outcome));
            if let Outcome::Delivered { .. } = outcome {
                self.waited.add_time(age(&parcel.leased.submission, now));
            }
        }
    }
}

fn age(submission: &Submission, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(submission.accepted_at)).unwrap_or_default()
}
