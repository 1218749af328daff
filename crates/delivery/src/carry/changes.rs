//! What a running carrier is told: other ways, what operators have ended, another master key.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use store::{Destination, Spool, SpoolError};
use types::QueueId;

use super::lane::Lane;
use super::{Carrier, Ways};
use crate::next_host::NextHostError;
use crate::record::Ending;
use crate::route::Routes;

impl<S: Spool> Carrier<S> {
    /// Prepares other routes and another grace. A way that stays as it is keeps its connections and what waits for it. Nothing changes
    /// before [`Carrier::replace`].
    ///
    /// # Errors
    /// As [`Carrier::new`].
    pub fn prepare(&self, routes: Routes, grace: Duration) -> Result<Ways, NextHostError> {
        Ways::new(routes, grace, self.settings.surroundings(), Some(&self.ways.load()))
    }

    /// Has mail take these ways from now on. Attempts that are under way end as they began; what waits for a way that is no more
    /// is given back to the queue, due at once.
    pub fn replace(self: &Arc<Self>, ways: Ways) {
        let ways = Arc::new(ways);
        let old = self.ways.swap(ways.clone());
        let stays =
            |destination: &Destination, lane: &Lane| ways.to(destination).is_some_and(|way| lane.is_on(way));
        for lane in self.lanes.sort_out(stays) {
            self.workers.spawn(self.clone().retire(lane));
        }
        for transport in old.transports_without(Some(&ways)) {
            self.workers.spawn(async move { transport.close().await });
        }
        self.wake.notify_one();
    }

    /// No attempt begins at what waits of these messages: an operator has held or removed them, or has returned them to their senders.
    pub fn call_off(&self, messages: &HashSet<QueueId>) {
        self.in_hand.call_off(messages);
    }

    /// Tells the store at once which master key is the newest here; otherwise it is told within seconds.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn tell_newest_key(&self) -> Result<(), SpoolError> {
        let newest_key = *self.settings.newest_key.borrow();
        self.spool.beat(self.node, newest_key).await.map(drop)
    }

    /// Gives back what waits on a lane whose way is no more.
    pub(super) async fn retire(self: Arc<Self>, lane: Arc<Lane>) {
        for carried in lane.clear() {
            self.clone().write_down(carried, Ending::Untried, None).await;
        }
        self.wake.notify_one();
    }
}
