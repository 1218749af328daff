//! The ways that mail takes: a lane for each, and when an attempt is made again. A reload puts others in their place.

use std::sync::Arc;
use std::time::Duration;

use store::Leased;
use tokio::sync::Notify;

use crate::carry::lanes::Lane;
use crate::next_host::NextHostError;
use crate::route::{Routes, Via};
use crate::schedule::Schedule;

/// Everything about delivery that can change while mail is carried; made by [`Carrier::prepare`](crate::Carrier::prepare).
#[derive(Debug)]
pub struct Ways {
    pub(crate) routes: Routes,
    /// In the order of the ways of `routes`.
    pub(crate) lanes: Vec<Arc<Lane>>,
    pub(crate) schedule: Schedule,
    /// How long running attempts may go on after a stop.
    pub(crate) grace: Duration,
}

impl Ways {
    /// A way that `old` has, too, keeps its lane.
    pub(crate) fn new(
        routes: Routes,
        (schedule, grace): (Schedule, Duration),
        hostname: &str,
        wake: &Arc<Notify>,
        old: Option<&Ways>,
    ) -> Result<Ways, NextHostError> {
        let lane = |via| match old.and_then(|old| old.lane(via)) {
            Some(lane) => Ok(lane),
            None => Lane::new(via, hostname, wake.clone()).map(Arc::new),
        };
        let lanes = routes.ways().iter().map(lane).collect::<Result<_, _>>()?;
        Ok(Ways { routes, lanes, schedule, grace })
    }

    fn lane(&self, via: &Via) -> Option<Arc<Lane>> {
        let place = self.routes.ways().iter().position(|way| way == via)?;
        self.lanes.get(place).cloned()
    }

    /// Of the ways that its recipients take, the one with most room; one that is on hold comes last.
    pub(crate) fn choose(&self, leased: &Leased) -> Option<usize> {
        let ways = leased.recipients.iter().map(|recipient| self.routes.way(&recipient.forward_path));
        ways.max_by_key(|way| self.lanes.get(*way).map(|lane| (!lane.holds(), lane.room())))
    }
}
