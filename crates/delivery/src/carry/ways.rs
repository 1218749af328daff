//! The ways that mail takes: a lane for each, and when an attempt is made again. A reload puts others in their place.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use store::{Destination, Leased, NewDelivery, Submission};
use tokio::sync::Notify;
use types::ForwardPath;

use super::lane::Lane;
use crate::next_host::NextHostError;
use crate::route::{Routes, Via};
use crate::schedule::Schedule;

/// Everything about delivery that can change while mail is carried; made by [`Carrier::prepare`](crate::Carrier::prepare).
#[derive(Debug)]
pub struct Ways {
    routes: Routes,
    lanes: HashMap<Destination, (Via, Arc<Lane>)>,
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
        let mut lanes = HashMap::new();
        for (destination, via) in routes.ways() {
            let lane = match old.and_then(|old| old.kept(destination, via)) {
                Some(lane) => lane,
                None => Arc::new(Lane::new(via, hostname, wake.clone())?),
            };
            lanes.insert(destination.clone(), (via.clone(), lane));
        }
        Ok(Ways { routes, lanes, schedule, grace })
    }

    fn kept(&self, destination: &Destination, via: &Via) -> Option<Arc<Lane>> {
        let (same, lane) = self.lanes.get(destination)?;
        (same == via).then(|| lane.clone())
    }

    /// The lane of a destination, if any route leads there.
    pub(crate) fn lane(&self, destination: &Destination) -> Option<&Arc<Lane>> {
        self.lanes.get(destination).map(|(_, lane)| lane)
    }

    pub(crate) fn lanes(&self) -> impl Iterator<Item = &Arc<Lane>> {
        self.lanes.values().map(|(_, lane)| lane)
    }

    /// Whether the route of every one of these recipients is `hold`.
    pub(crate) fn hold<'p>(&self, paths: impl Iterator<Item = &'p ForwardPath>) -> bool {
        self.routes.hold(paths)
    }

    /// The deliveries of a new message: its recipients by their destinations.
    pub(crate) fn deliveries(&self, submission: &Submission) -> Vec<NewDelivery> {
        let mut deliveries: Vec<NewDelivery> = Vec::with_capacity(1);
        for (number, recipient) in (0..).zip(&submission.recipients) {
            let destination = self.destination(&recipient.path);
            match deliveries.iter_mut().find(|delivery| delivery.destination == destination) {
                Some(delivery) => delivery.recipients.push(number),
                None => deliveries.push(NewDelivery { destination, recipients: vec![number], owner: None }),
            }
        }
        deliveries
    }

    /// Those recipients of a delivery who go elsewhere by now, and where.
    pub(crate) fn moved(&self, leased: &Leased) -> Vec<(u32, Destination)> {
        let elsewhere = leased.recipients.iter().filter_map(|recipient| {
            let destination = self.destination(&recipient.to.path);
            (destination != leased.destination).then_some((recipient.number, destination))
        });
        elsewhere.collect()
    }

    fn destination(&self, path: &ForwardPath) -> Destination {
        self.routes.destination(path).cloned().unwrap_or_else(Destination::unknown)
    }
}
