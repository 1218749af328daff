//! What the committer needs of the carrier: a plan for each new message, and somebody who takes it over.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use store::{Destination, Leased, NewDelivery, Spool, Submission};
use types::AccountId;

use super::Carrier;
use super::look::IN_HAND;
use super::ways::Ways;
use crate::parcel::Parcel;

impl<S: Spool> Carrier<S> {
    pub(crate) fn spool(&self) -> &Arc<S> {
        &self.spool
    }

    /// The deliveries of a new message. Those that can be carried at once are ours from the start; a message is held if nothing of it
    /// can leave.
    pub(crate) fn plan(&self, submission: &mut Submission) -> Vec<NewDelivery> {
        let ways = self.ways.load();
        let (mut deliveries, held) = ways.deliveries(submission);
        submission.held |= held;
        if self.open.load(Ordering::Acquire) && !submission.held {
            for delivery in &mut deliveries {
                let has_room = self.has_room(&ways, &delivery.destination, submission.account);
                delivery.owner = has_room.then_some(self.node);
            }
        }
        deliveries
    }

    /// Whether a new message of this account can go on the lane of this destination.
    fn has_room(&self, ways: &Ways, destination: &Destination, account: AccountId) -> bool {
        let Some(way) = ways.to(destination) else { return false };
        let is_crowded = self.in_hand.len() >= IN_HAND;
        match self.lanes.find(destination, way) {
            Some(lane) if is_crowded => lane.share() > 0,
            Some(lane) => lane.has_room_for(account),
            None => self.lanes.make_for_new_mail(destination, way),
        }
    }

    /// Takes over what has just become durable. What waits in the queue for these destinations is looked for if there is room for it by
    /// now; a lane that is full tells when it has room again.
    pub(crate) fn committed(self: &Arc<Self>, leased: Vec<Leased>, waiting: &[Destination]) {
        for leased in leased {
            self.put_on_lane(Parcel::new(leased), Vec::new());
        }
        let ways = self.ways.load();
        let has_room = |destination: &Destination| {
            let Some(way) = ways.to(destination) else { return false };
            self.lanes.find(destination, way).is_none_or(|lane| lane.room() > 0)
        };
        if waiting.iter().any(has_room) {
            self.wake.notify_one();
        }
    }
}
