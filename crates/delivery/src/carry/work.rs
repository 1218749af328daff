//! The workers of a lane: each takes parcel after parcel, has an attempt made, and what came of it written down.

use std::sync::Arc;
use std::thread::panicking;

use store::{HeldLease, Spool};

use super::Carrier;
use super::failure::Failure;
use super::host_state::HostState;
use super::in_hand::Carried;
use super::lane::Lane;
use super::permits::Permit;
use crate::parcel::{Attempt, Parcel};
use crate::record::{Ending, complain};

impl<S: Spool> Carrier<S> {
    /// Carries parcels of one lane while there are any.
    pub(super) async fn work(self: Arc<Self>, lane: Arc<Lane>) {
        let _stand_in = StandIn { carrier: self.clone(), lane: lane.clone() };
        let mut shift = lane.begin();
        while !self.stopping.is_cancelled()
            && let Some(mut carried) = shift.next()
        {
            let permit = self.permits.take(&lane.host_state()).await;
            // Also those who have waited for one through a stop begin nothing; their leases are given back in the end.
            if self.stopping.is_cancelled() {
                return;
            }
            if carried.is_called_off() {
                self.workers.spawn(self.clone().write_down(carried, Ending::Untried, Some(permit)));
                continue;
            }
            let ending = tokio::select! {
                biased;
                ending = self.attempt(&lane, &mut carried.parcel) => ending,
                () = self.aborting.cancelled() => return,
            };
            if let Ending::Tried(attempt) = &ending {
                self.note(&lane, &carried.parcel, attempt);
            }
            let is_known = matches!(ending, Ending::Known(_));
            let written_down = self.clone().write_down(carried, ending, Some(permit));
            if is_known {
                // A backlog without attempts is written down one by one, lest it keep the spool from those who have some.
                written_down.await;
            } else {
                // Beside the next attempt: many endings then share one sync of the spool.
                self.workers.spawn(written_down);
            }
        }
    }

    /// Notes what an attempt has shown of the host of a lane. If it answers again, it gets its workers back.
    fn note(self: &Arc<Self>, lane: &Arc<Lane>, parcel: &Parcel, attempt: &Attempt) {
        let failure = || Failure::of(parcel, attempt, (self.settings.now)());
        let host_state = if attempt.answered { HostState::Answers } else { HostState::Fails(failure()) };
        if let Some(host_state) = lane.note(host_state) {
            self.lanes.remember(&parcel.leased.destination, host_state);
            while lane.relief() {
                self.workers.spawn(self.clone().work(lane.clone()));
            }
        }
    }

    /// The permit bounds what a crash can leave delivered and not recorded.
    pub(super) async fn write_down(
        self: Arc<Self>,
        carried: Carried,
        ending: Ending,
        _permit: Option<Permit>,
    ) {
        let schedule = self.ways.load().schedule(&carried.parcel.leased.destination);
        self.recorder.close(&carried.parcel, ending, &schedule).await;
        self.let_go(carried.let_go()).await;
    }

    /// Gives back the lease, if there is one, that was taken of a delivery while it was still in hand.
    pub(super) async fn let_go(&self, taken_again: Option<HeldLease>) {
        let Some(lease) = taken_again else { return };
        let id = lease.delivery.entry;
        if let Err(error) = self.spool.give_back(self.node, vec![lease]).await {
            complain(id, &error, "cannot give back a lease");
        }
        self.wake.notify_one();
    }
}

/// Has another worker begin where one panics, so that nothing waits on a lane without one. What the first had in hand is leased anew.
struct StandIn<S: Spool> {
    carrier: Arc<Carrier<S>>,
    lane: Arc<Lane>,
}

impl<S: Spool> Drop for StandIn<S> {
    fn drop(&mut self) {
        if panicking() && !self.carrier.stopping.is_cancelled() && self.lane.relief() {
            self.carrier.workers.spawn(self.carrier.clone().work(self.lane.clone()));
        }
    }
}
