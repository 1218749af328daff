//! Deliveries that are leased and wait on no lane: they get other destinations, are returned to their senders, or
//! are what these are to be told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use store::{Destination, Leased, Spool};

use super::Carrier;
use super::host_state::HostState;
use super::in_hand::{Carried, Hand};
use crate::record::{Ending, complain};

impl<S: Spool> Carrier<S> {
    /// Gives the recipients of a delivery their destinations, and the delivery back.
    pub(super) async fn reroute(self: Arc<Self>, leased: Leased, hand: Hand, moved: Vec<(u32, Destination)>) {
        if let Err(error) = self.spool.reroute(&leased, moved).await {
            complain(leased.submission.id, &error, "cannot give a message its new route");
        }
        self.let_go(hand.let_go()).await;
        self.is_dealt_with();
    }

    /// Records that a delivery is returned to its sender. What its report needs of it is in memory only as much as there are permits.
    pub(super) async fn hand_back(self: Arc<Self>, carried: Carried) {
        let permit = self.permits.take(&HostState::Answers).await;
        self.clone().write_down(carried, Ending::Returned, Some(permit)).await;
        self.is_dealt_with();
    }

    /// Makes the report of what the sender of a message is to be told; what it needs is in memory as with [`hand_back`](Self::hand_back).
    pub(super) async fn tell_sender(self: Arc<Self>, carried: Carried) {
        let permit = self.permits.take(&HostState::Answers).await;
        let ways = self.ways.load_full();
        self.recorder.tell_sender(&carried.parcel, |destination| ways.schedule(destination)).await;
        self.let_go(carried.let_go()).await;
        drop(permit);
        self.is_dealt_with();
    }

    /// There is room for another beside the lanes.
    fn is_dealt_with(&self) {
        self.beside_lanes.fetch_sub(1, Ordering::Relaxed);
        self.wake.notify_one();
    }
}
