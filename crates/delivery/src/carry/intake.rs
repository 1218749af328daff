//! What the committer needs of the carrier: a plan for each new message, and somebody who takes it over.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use store::{Destination, Leased, NewDelivery, Spool, Submission};

use super::Carrier;
use super::lane::Lane;

impl<S: Spool> Carrier<S> {
    pub(crate) fn spool(&self) -> &Arc<S> {
        &self.spool
    }

    /// The deliveries of a new message. Those that can be carried at once are ours from the start; a message is held if nothing of it
    /// can leave.
    pub(crate) fn plan(&self, submission: &mut Submission) -> Vec<NewDelivery> {
        let ways = self.ways.load();
        submission.held |= ways.hold(submission.recipients.iter().map(|recipient| &recipient.path));
        let mut deliveries = ways.deliveries(submission);
        if self.open.load(Ordering::Acquire) && !submission.held {
            let has_room = |lane: &Arc<Lane>| lane.has_room_for(submission.account);
            for delivery in &mut deliveries {
                delivery.owner = ways.lane(&delivery.destination).is_some_and(has_room).then_some(self.node);
            }
        }
        deliveries
    }

    /// Takes over what has just become durable. What waits in the queue for these destinations is looked for if there is room for it by
    /// now; a lane that is full tells when it has room again.
    pub(crate) fn committed(self: &Arc<Self>, leased: Vec<Leased>, waiting: &[Destination]) {
        for leased in leased {
            self.put_on_lane(leased, Vec::new());
        }
        let ways = self.ways.load();
        if waiting.iter().any(|destination| ways.lane(destination).is_some_and(|lane| lane.room() > 0)) {
            self.wake.notify_one();
        }
    }
}
