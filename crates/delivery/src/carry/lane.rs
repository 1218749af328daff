//! What waits for one destination, and the workers that carry it.
//!
//! Each destination has its own lane, so that a slow one keeps nobody waiting but its own mail. On a lane accounts take turns, so that
//! one that sends thousands of messages does not keep the others waiting.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::{Spool, SpoolError};
use tokio::sync::Notify;
use types::AccountId;

use super::in_hand::Carried;
use super::turns::Turns;
use crate::next_host::NextHostError;
use crate::parcel::{Attempt, Parcel};
use crate::route::Via;
use crate::transport::Transport;

/// Messages carried at once on one lane.
const WORKERS: usize = 20;
/// Parcels that may wait on one lane.
const ROOM: usize = 2000;
/// A lane with less room than this takes nothing more until it has some again.
const FULL: usize = 500;
/// Parcels of an account that may wait on a lane though it is full, if there is nothing of that account: so much as a lane carries at
/// once.
const SHARE: usize = WORKERS;
/// Octets of messages that wait on one lane in memory. The others are read when their turn comes.
const IN_MEMORY: usize = 16 * 1024 * 1024;

/// One destination's mail.
#[derive(Debug)]
pub(crate) struct Lane {
    transport: Transport,
    /// Told when a lane that was full has room again.
    wake: Arc<Notify>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    parcels: Turns<AccountId, Carried>,
    /// Octets of their messages that are in memory.
    octets: usize,
    workers: usize,
}

impl Lane {
    pub(crate) fn new(via: &Via, hostname: &str, wake: Arc<Notify>) -> Result<Lane, NextHostError> {
        Ok(Lane { transport: Transport::new(via, hostname)?, wake, waiting: Mutex::default() })
    }

    /// How many more parcels may wait.
    pub(crate) fn room(&self) -> usize {
        let room = ROOM.saturating_sub(self.waiting().parcels.len());
        if room < FULL { 0 } else { room }
    }

    /// Whether a new message of this account may wait here.
    pub(crate) fn has_room_for(&self, account: AccountId) -> bool {
        self.room() > 0 || self.has_share(account)
    }

    fn has_share(&self, account: AccountId) -> bool {
        let waiting = self.waiting();
        waiting.parcels.len() < 2 * ROOM && waiting.parcels.of(account) < SHARE
    }

    /// Adds a parcel; whether another worker should begin.
    #[must_use]
    pub(crate) fn push(&self, mut carried: Carried) -> bool {
        let mut waiting = self.waiting();
        if waiting.octets + carried.parcel.octets() > IN_MEMORY {
            carried.parcel.leased.content = None;
        }
        waiting.octets += carried.parcel.octets();
        waiting.parcels.push(carried.parcel.leased.submission.account, carried);
        let more = waiting.workers < WORKERS;
        waiting.workers += usize::from(more);
        more
    }

    /// Takes out all that waits.
    pub(crate) fn clear(&self) -> Vec<Carried> {
        let mut waiting = self.waiting();
        waiting.octets = 0;
        std::iter::from_fn(|| waiting.parcels.next()).collect()
    }

    /// The shift of a worker that [`push`](Lane::push) asked for.
    pub(crate) fn begin(&self) -> Shift<'_> {
        Shift { lane: self, over: false }
    }

    /// Makes an attempt; `None` if nothing leaves on this lane. An error is the spool's, and says nothing about the recipients.
    pub(crate) async fn carry<S: Spool>(
        &self,
        parcel: &Parcel,
        spool: &S,
    ) -> Result<Option<Attempt>, SpoolError> {
        self.transport.carry(parcel, spool).await
    }

    /// Closes the connections that are kept, with QUIT.
    pub(crate) async fn close(&self) {
        self.transport.close().await;
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
    /// The parcel whose turn it is; `None` ends the shift.
    pub(crate) fn next(&mut self) -> Option<Carried> {
        let mut waiting = self.lane.waiting();
        let carried = waiting.parcels.next();
        waiting.octets -= carried.as_ref().map_or(0, |carried| carried.parcel.octets());
        if carried.is_some() && waiting.parcels.len() == ROOM - FULL {
            self.lane.wake.notify_one();
        }
        if carried.is_none() && !self.over {
            // Under the same lock, so that a parcel which comes now finds one worker too few.
            waiting.workers -= 1;
            self.over = true;
        }
        carried
    }
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.lane.waiting().workers -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use store::{Lease, Leased, Submission};
    use types::{NodeId, QueueId, ReversePath};

    use super::*;
    use crate::carry::in_hand::InHand;

    fn parcel(n: u64, octets: usize) -> Carried {
        let (id, account) = (QueueId::new(n, [0; 10]), AccountId::new(1, [0; 10]));
        let submission = Submission::new(id, account, "", ReversePath::Null, Timestamp::UNIX_EPOCH);
        let leased = Leased {
            submission: Arc::new(submission),
            destination: "there".into(),
            recipients: Vec::new(),
            size: u64::try_from(octets).unwrap(),
            lease: Lease { owner: NodeId::from_bytes([1; 16]), token: 1 },
            returned: false,
            content: Some(vec![b'x'; octets].into()),
        };
        let hand = InHand::default().take(&leased).unwrap();
        Carried::new(Parcel { leased, recipients: Vec::new() }, hand)
    }

    #[test]
    fn however_much_waits_only_so_much_is_in_memory() {
        let lane = Lane::new(&Via::Hold, "mail.example.org", Arc::default()).unwrap();
        for n in 0..40 {
            let _ = lane.push(parcel(n, 1024 * 1024));
        }
        assert_eq!(lane.waiting().octets, IN_MEMORY);
        let mut shift = lane.begin();
        let kept = std::iter::from_fn(|| shift.next()).filter(|carried| carried.parcel.octets() > 0).count();
        assert_eq!((kept, lane.waiting().octets), (16, 0));
    }
    #[test]
    fn a_lane_full_of_one_account_has_room_for_another() {
        let lane = Lane::new(&Via::Hold, "mail.example.org", Arc::default()).unwrap();
        let (busy, other) = (AccountId::new(1, [0; 10]), AccountId::new(2, [0; 10]));
        for n in 0..2000 {
            assert!(n >= 1500 || lane.has_room_for(busy));
            let _ = lane.push(parcel(n, 1));
        }
        assert_eq!((lane.room(), lane.has_room_for(busy), lane.has_room_for(other)), (0, false, true));
    }
}
