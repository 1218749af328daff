//! One destination's mail: what waits for it, and the workers that carry it.
//!
//! Each destination has its own lane, so that a slow one keeps nobody waiting but its own mail.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use esmtp::dialogue::{Enhanced, Reply, Verdict};
use message::Target;
use store::{Spool, SpoolError};
use tokio::sync::Notify;

use crate::next_host::NextHostError;
use crate::parcel::{Attempt, Parcel};
use crate::route::Via;
use crate::transport::maildir::{Maildir, MaildirError};
use crate::transport::outgoing::{self, Outgoing};
use crate::transport::smtp::Relay;

/// Messages carried at once on one lane.
const WORKERS: usize = 20;
/// Parcels that may wait on one lane.
const ROOM: usize = 2000;
/// A lane with less room than this takes nothing more until it has some again.
const FULL: usize = 500;
/// Octets of messages that wait on one lane in memory. The others are read when their turn comes.
const IN_MEMORY: usize = 16 * 1024 * 1024;

/// A destination.
#[derive(Debug)]
pub(crate) struct Lane {
    way: Way,
    /// Told when a lane that was full has room again.
    wake: Arc<Notify>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug)]
enum Way {
    Maildir(Maildir),
    Relay(Box<Relay>),
    Hold,
}

#[derive(Debug, Default)]
struct Waiting {
    parcels: VecDeque<Parcel>,
    /// Octets of their messages that are in memory.
    octets: usize,
    workers: usize,
}

impl Lane {
    pub(crate) fn new(via: &Via, hostname: &str, wake: Arc<Notify>) -> Result<Lane, NextHostError> {
        let way = match via {
            Via::Maildir(path) => Way::Maildir(Maildir::new(path, hostname)),
            Via::Relay(next_host) => Way::Relay(Box::new(Relay::new(next_host, hostname)?)),
            Via::Hold => Way::Hold,
        };
        Ok(Lane { way, wake, waiting: Mutex::default() })
    }

    /// Whether its route is `hold`.
    pub(crate) fn holds(&self) -> bool {
        matches!(self.way, Way::Hold)
    }

    /// How many more parcels may wait.
    pub(crate) fn room(&self) -> usize {
        let room = ROOM.saturating_sub(self.waiting().parcels.len());
        if room < FULL { 0 } else { room }
    }

    /// Adds a parcel; whether another worker should begin.
    #[must_use]
    pub(crate) fn push(&self, mut parcel: Parcel) -> bool {
        let mut waiting = self.waiting();
        if waiting.octets + parcel.octets() > IN_MEMORY {
            parcel.leased.content = None;
        }
        waiting.octets += parcel.octets();
        waiting.parcels.push_back(parcel);
        let more = waiting.workers < WORKERS;
        waiting.workers += usize::from(more);
        more
    }

    /// Takes out all that waits.
    pub(crate) fn clear(&self) -> Vec<Parcel> {
        let mut waiting = self.waiting();
        waiting.octets = 0;
        waiting.parcels.drain(..).collect()
    }

    /// The shift of a worker that [`push`](Lane::push) asked for.
    pub(crate) fn begin(&self) -> Shift<'_> {
        Shift { lane: self, over: false }
    }

    /// Makes an attempt. An error is the spool's, and says nothing about the recipients.
    pub(crate) async fn carry<S: Spool>(&self, parcel: &Parcel, spool: &S) -> Result<Attempt, SpoolError> {
        match &self.way {
            Way::Maildir(maildir) => into_maildir(maildir, parcel, spool).await,
            Way::Relay(relay) => relay.carry(parcel, spool).await,
            Way::Hold => Ok(Attempt::deferred(parcel, None, &on_hold())),
        }
    }

    /// Closes the connections that are kept, with QUIT.
    pub(crate) async fn close(&self) {
        if let Way::Relay(relay) = &self.way {
            relay.close().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing done under this lock can be left half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A worker's time on a lane; it counts as one of its workers until it is over, even if it ends by a panic.
#[derive(Debug)]
pub(crate) struct Shift<'a> {
    lane: &'a Lane,
    over: bool,
}

impl Shift<'_> {
    /// The parcel that has waited longest; `None` ends the shift.
    pub(crate) fn next(&mut self) -> Option<Parcel> {
        let mut waiting = self.lane.waiting();
        let parcel = waiting.parcels.pop_front();
        waiting.octets -= parcel.as_ref().map_or(0, Parcel::octets);
        if parcel.is_some() && waiting.parcels.len() == ROOM - FULL {
            self.lane.wake.notify_one();
        }
        if parcel.is_none() && !self.over {
            // Under the same lock, so that a parcel which comes now finds one worker too few.
            waiting.workers -= 1;
            self.over = true;
        }
        parcel
    }
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.lane.waiting().workers -= 1;
        }
    }
}

/// A file takes octets of any kind, but whoever reads it may send it on.
async fn into_maildir<S: Spool>(
    maildir: &Maildir,
    parcel: &Parcel,
    spool: &S,
) -> Result<Attempt, SpoolError> {
    match outgoing::open(spool, &parcel.leased, Target::EightBit).await? {
        Ok(Outgoing { text, .. }) => maildir_attempt(parcel, maildir.deliver(parcel, text).await),
        Err(refusal) => Ok(Attempt::all(parcel, None, &Verdict::Failed(refusal))),
    }
}

fn maildir_attempt(parcel: &Parcel, delivered: Result<Reply, MaildirError>) -> Result<Attempt, SpoolError> {
    match delivered {
        Ok(reply) => Ok(Attempt::all(parcel, None, &Verdict::Delivered(reply))),
        // A full disk, a lost mount, a wrong owner: an operator can fix all of them.
        Err(MaildirError::Io(error)) => {
            let reason =
                Reply::ours(451, Enhanced(4, 3, 0), format!("the Maildir cannot be written: {error}"));
            Ok(Attempt::deferred(parcel, None, &reason))
        }
        Err(MaildirError::Spool(error)) => Err(error),
    }
}

fn on_hold() -> Reply {
    Reply::ours(450, Enhanced(4, 3, 2), "held by the configuration")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use store::{Lease, Leased, Submission};
    use types::{AccountId, QueueId, ReversePath};

    use super::*;
    use crate::carry::in_hand::InHand;

    fn parcel(octets: usize) -> Parcel {
        let (id, account) = (QueueId::new(1, [0; 10]), AccountId::new(1, [0; 10]));
        let submission = Submission::new(id, account, "", ReversePath::Null, Timestamp::UNIX_EPOCH);
        let leased = Leased {
            submission: Arc::new(submission),
            recipients: Vec::new(),
            size: u64::try_from(octets).unwrap(),
            lease: Lease { owner: "here".into(), until: Timestamp::MAX },
            content: Some(vec![b'x'; octets].into()),
        };
        let hand = InHand::default().take(leased.submission.id).unwrap();
        Parcel { leased, recipients: Vec::new(), hand }
    }

    #[test]
    fn however_much_waits_only_so_much_is_in_memory() {
        let lane = Lane::new(&Via::Hold, "mail.example.org", Arc::default()).unwrap();
        for _ in 0..40 {
            let _ = lane.push(parcel(1024 * 1024));
        }
        assert_eq!(lane.waiting().octets, IN_MEMORY);
        let mut shift = lane.begin();
        let kept = std::iter::from_fn(|| shift.next()).filter(|parcel| parcel.octets() > 0).count();
        assert_eq!((kept, lane.waiting().octets), (16, 0));
    }
}
