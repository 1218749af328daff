//! One attempt at a delivery: in one transaction, or in several if it has many recipients.

use esmtp::dialogue::{Enhanced, Reply, Verdict};
use store::Spool;
use types::ByMode;

use super::Carrier;
use super::lane::Lane;
use crate::parcel::{Attempt, Parcel};
use crate::record::Ending;

/// Recipients in one transaction: every server takes so many (RFC 5321 section 4.5.3.1.8). Others follow at once.
const RECIPIENTS: usize = 100;

impl<S: Spool> Carrier<S> {
    pub(super) async fn attempt(&self, lane: &Lane, parcel: &mut Parcel) -> Ending {
        parcel.deliver_by = parcel.leased.submission.deliver_by.map(|by| by.left((self.settings.now)()));
        if parcel.deliver_by.is_some_and(|by| by.mode == ByMode::Return && by.seconds <= 0) {
            return Ending::Known(Attempt::all(parcel, None, &Verdict::Failed(too_late())));
        }
        if let Some(attempt) = lane.host_state().failure().and_then(|failure| failure.attempt(parcel)) {
            return Ending::Known(attempt);
        }
        if parcel.recipients.len() > RECIPIENTS {
            return self.attempt_in_groups(lane, parcel).await;
        }
        match lane.carry(parcel, &self.texts).await {
            Ok(Some(attempt)) => Ending::Tried(attempt),
            Ok(None) => Ending::Held,
            Err(error) => Ending::Unreadable(error),
        }
    }

    /// Makes an attempt for many recipients, group by group. Those who have the message are recorded with their group, as it must not be
    /// sent to them again; what became of the others is recorded once all were tried, and told in one report. An operator may end or hold
    /// the delivery between two groups.
    async fn attempt_in_groups(&self, lane: &Lane, parcel: &Parcel) -> Ending {
        let mut attempt =
            Attempt { verdicts: Vec::new(), host: None, answered: false, is_unreached: false, tls: None };
        let mut groups = parcel.recipients.chunks(RECIPIENTS).peekable();
        while let Some(group) = groups.next() {
            let part = Parcel { leased: parcel.leased.clone(), recipients: group.to_vec(), ..*parcel };
            match lane.carry(&part, &self.texts).await {
                Ok(Some(tried)) => {
                    // The last is recorded with all of them.
                    let is_last = groups.peek().is_none() || self.stopping.is_cancelled();
                    let goes_on = !is_last && self.recorder.note_delivered(&part, &tried).await;
                    attempt.extend(tried);
                    if !goes_on {
                        break;
                    }
                }
                Ok(None) => return Ending::Held,
                Err(error) if attempt.verdicts.is_empty() => return Ending::Unreadable(error),
                // Those who are left are due at once, and find the message as it is.
                Err(_) => break,
            }
        }
        Ending::Tried(attempt)
    }
}

/// RFC 2852 section 4.1.1: delivery time expired (RFC 3463 section 3.5, X.4.7).
fn too_late() -> Reply {
    Reply::ours(
        550,
        Enhanced(5, 4, 7),
        "the time is over by which its sender wants it delivered, or else returned",
    )
}
