//! The ways that mail takes: which recipient takes which, and what carries it. A reload puts others in their place.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use store::{Destination, Leased, NewDelivery, Submission};

use super::prepared::PreparedWay;
use crate::next_host::NextHostError;
use crate::route::{Routes, way_of};
use crate::schedule::Schedule;
use crate::transport::{Surroundings, Transport};

/// Everything about delivery that can change while mail is carried; made by [`Carrier::prepare`](crate::Carrier::prepare).
#[derive(Debug)]
pub struct Ways {
    routes: Routes,
    prepared: HashMap<Destination, Arc<PreparedWay>>,
    /// How long running attempts may go on after a stop.
    pub(crate) grace: Duration,
}

impl Ways {
    /// What stays of `old` is taken over, with its connections.
    pub(crate) fn new(
        routes: Routes,
        grace: Duration,
        surroundings: Surroundings<'_>,
        old: Option<&Ways>,
    ) -> Result<Ways, NextHostError> {
        let routes = routes.of_server(surroundings.hostname);
        let mut known: Vec<_> = old.iter().flat_map(|old| old.prepared.values().cloned()).collect();
        let mut prepared = HashMap::new();
        for (destination, way) in routes.ways() {
            let ready = PreparedWay::new(way, surroundings, &known)?;
            known.push(ready.clone());
            prepared.insert(destination.clone(), ready);
        }
        Ok(Ways { routes, prepared, grace })
    }

    /// The way that leads to a destination, if any does.
    pub(crate) fn to(&self, destination: &Destination) -> Option<&Arc<PreparedWay>> {
        self.prepared.get(destination).or_else(|| self.prepared.get(&way_of(destination)?))
    }

    /// The text of each way that there is.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &Destination> {
        self.prepared.keys()
    }

    /// The text of the way that leads to a destination, if any does: `mx` of `mx:example.org`.
    pub(crate) fn text_of(&self, destination: &Destination) -> Option<&Destination> {
        let found = self.prepared.get_key_value(destination);
        let (text, _) = found.or_else(|| self.prepared.get_key_value(&way_of(destination)?))?;
        Some(text)
    }

    /// When deliveries to a destination are tried again; as by default where no way leads any more.
    pub(crate) fn schedule(&self, destination: &Destination) -> Schedule {
        let way = self.to(destination).map(|prepared| &prepared.way).or(self.routes.default_way());
        way.map(|way| way.schedule).unwrap_or_default()
    }

    /// No attempt is put off for longer.
    pub(crate) fn longest_wait(&self) -> Duration {
        let waits = self.prepared.values().map(|prepared| prepared.way.schedule.longest_wait());
        waits.max().unwrap_or_default()
    }

    /// The destinations of fixed hosts that only an operator can make usable, each with its host and what is wrong with it.
    pub(crate) fn unusable(&self) -> Vec<(String, String, String)> {
        let ways = self.prepared.iter();
        let unusable = ways.filter_map(|(destination, way)| Some((destination, way.transport.unusable()?)));
        unusable.map(|(destination, (host, why))| (destination.to_string(), host, why)).collect()
    }

    /// What carries mail here, and not with the `other` ways.
    pub(crate) fn transports_without(&self, other: Option<&Ways>) -> Vec<Arc<Transport>> {
        let mut here: Vec<_> = self.prepared.values().map(|prepared| prepared.transport.clone()).collect();
        let is_there = |transport: &Arc<Transport>| {
            let mut others = other.iter().flat_map(|other| other.prepared.values());
            others.any(|other| Arc::ptr_eq(&other.transport, transport))
        };
        here.retain(|transport| !is_there(transport));
        here
    }

    /// The deliveries of a new message: its recipients by their destinations. Whether all of it is held by its routes.
    pub(crate) fn deliveries(&self, submission: &Submission) -> (Vec<NewDelivery>, bool) {
        let mut deliveries: Vec<NewDelivery> = Vec::with_capacity(1);
        for (number, recipient) in (0..).zip(&submission.recipients) {
            let destination = self.routes.destination(&submission.reverse_path, &recipient.path);
            match deliveries.iter_mut().find(|delivery| delivery.destination == destination) {
                Some(delivery) => delivery.recipients.push(number),
                None => deliveries.push(NewDelivery { destination, recipients: vec![number], owner: None }),
            }
        }
        let paths = submission.recipients.iter().map(|recipient| &recipient.path);
        (deliveries, self.routes.hold(&submission.reverse_path, paths))
    }

    /// Those recipients of a delivery who go elsewhere by now, and where.
    pub(crate) fn moved(&self, leased: &Leased) -> Vec<(u32, Destination)> {
        let elsewhere = leased.recipients.iter().filter_map(|recipient| {
            let destination = self.routes.destination(&leased.submission.reverse_path, &recipient.to.path);
            (destination != leased.destination).then_some((recipient.number, destination))
        });
        elsewhere.collect()
    }
}
