//! Holding the right to deliver: what is due is leased, carried on its lane, written down, and only then given up.
//!
//! The unit is a delivery, those recipients of a message that go to one destination: whatever happens to it keeps no other delivery
//! waiting. Nothing is leased to be looked at, and no attempt is recorded that was not made. A lease does not end by a clock: it is
//! this process's as long as it is on the list of nodes (`membership`).

pub(crate) mod in_hand;
mod membership;
mod rounds;
mod look;
mod ways;
mod prepared;
mod changes;
mod intake;
mod lanes;
mod lane;
mod turns;
mod failure;
mod host_state;
mod permits;
mod work;
mod attempt;
mod beside_lanes;
mod troubled;
mod watched;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use dns::Resolver;
use jiff::Timestamp;
use store::{Destination, MasterKeyId, Spool};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::NodeId;

use crate::counters::Counters;
use crate::next_host::NextHostError;
use crate::parcel::Parcel;
use crate::record::Recorder;
use crate::resolve::StsPolicies;
use crate::route::Routes;
use crate::signing::Signing;
use crate::tls_tally::TlsTally;
use crate::transport::{Surroundings, Texts};
use in_hand::{Carried, InHand};
use lanes::Lanes;
use membership::Membership;
use permits::Permits;
use rounds::{POLL, Rounds};
pub use troubled::TroubledDestination;
pub use ways::Ways;

/// How often policies are looked over.
const REFRESH: Duration = Duration::from_secs(60 * 60);

/// How mail is carried.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our name: in EHLO, in the names of Maildir files, and in the list of nodes.
    pub hostname: String,
    /// Who knows the hosts of a domain.
    pub resolver: Resolver,
    /// How long running attempts may go on after a stop.
    pub grace: Duration,
    /// The newest of the master keys that this process has, for the list of nodes.
    pub newest_key: watch::Receiver<MasterKeyId>,
    /// What signs it as it leaves.
    pub signing: Arc<Signing>,
    /// What domains demand of those who send them mail.
    pub sts: Arc<StsPolicies>,
    /// What counts how TLS goes with mail hosts.
    pub tls_tally: Arc<TlsTally>,
    /// The clock.
    pub now: fn() -> Timestamp,
}

impl Settings {
    fn surroundings(&self) -> Surroundings<'_> {
        let Settings { hostname, resolver, sts, tls_tally, .. } = self;
        Surroundings { hostname, resolver, sts, tls_tally }
    }
}

/// Carries accepted mail away until it is told to stop.
#[derive(Debug)]
pub struct Carrier<S> {
    spool: Arc<S>,
    texts: Texts<S>,
    ways: ArcSwap<Ways>,
    recorder: Recorder<S>,
    in_hand: InHand,
    /// This process, in the leases that it has.
    node: NodeId,
    settings: Settings,
    /// Whether new messages may be leased from the start: only while somebody is there to carry them.
    open: AtomicBool,
    wake: Arc<Notify>,
    lanes: Lanes,
    permits: Permits,
    /// Deliveries that are leased and wait on no lane: they get other destinations, are returned to their senders, or are what these are to
    /// be told.
    beside_lanes: AtomicUsize,
    workers: TaskTracker,
    /// No new attempts.
    stopping: CancellationToken,
    /// The grace is over.
    aborting: CancellationToken,
    /// It was tried to join the list of nodes.
    tried_to_join: CancellationToken,
}

impl<S: Spool> Carrier<S> {
    /// Prepares each way of `routes`.
    ///
    /// # Errors
    /// What the operator has to put right, such as a host name that is none.
    pub fn new(spool: Arc<S>, routes: Routes, settings: Settings) -> Result<Arc<Carrier<S>>, NextHostError> {
        let wake = Arc::new(Notify::new());
        let ways = Ways::new(routes, settings.grace, settings.surroundings(), None)?;
        let aborting = CancellationToken::new();
        let recorder =
            Recorder::new(spool.clone(), &settings.hostname, settings.now, wake.clone(), aborting.clone());
        let started = u64::try_from((settings.now)().as_millisecond()).unwrap_or_default();
        Ok(Arc::new(Carrier {
            texts: Texts { spool: spool.clone(), signing: settings.signing.clone() },
            spool,
            recorder,
            in_hand: InHand::default(),
            node: NodeId::new(started, rand::random()),
            ways: ArcSwap::from_pointee(ways),
            settings,
            open: AtomicBool::new(false),
            lanes: Lanes::new(wake.clone()),
            wake,
            permits: Permits::new(),
            beside_lanes: AtomicUsize::new(0),
            workers: TaskTracker::new(),
            stopping: CancellationToken::new(),
            aborting,
            tried_to_join: CancellationToken::new(),
        }))
    }

    /// Carries mail until `stop`, then lets running attempts end within the grace and gives back what is leased.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let Settings { hostname, newest_key, now, .. } = &self.settings;
        let mut rounds = Rounds::new(Membership::new(self.node, hostname, now(), newest_key.clone()));
        while !stop.is_cancelled() {
            let wait = self.look(&mut rounds).await.unwrap_or_else(|error| {
                tracing::error!(
                    event = "spool.failing",
                    error = &error as &dyn std::error::Error,
                    "cannot read the queue"
                );
                POLL
            });
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.wake.notified() => {}
                () = sleep(wait) => {}
            }
        }
        self.finish().await;
    }

    /// What was counted since the server began.
    pub fn counters(&self) -> &Counters {
        self.recorder.counters()
    }

    /// Waits until [`run`](Self::run) has put this process on the list of nodes, or has failed in it: then it tries again, and takes mail
    /// meanwhile.
    pub async fn tried_to_join(&self) {
        self.tried_to_join.cancelled().await;
    }

    /// Fetches the policies of domains (MTA-STS) anew that are old, once an hour until `stop`: so they are in force also where mail is sent
    /// seldom.
    pub async fn keep_policies(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(REFRESH)).await.is_some() {
            for transport in self.ways.load_full().transports_without(None) {
                stop.run_until_cancelled(transport.refresh_policies()).await;
            }
        }
    }

    async fn finish(&self) {
        self.open.store(false, Ordering::Release);
        self.stopping.cancel();
        self.workers.close();
        let ways = self.ways.load_full();
        if timeout(ways.grace, self.workers.wait()).await.is_err() {
            self.aborting.cancel();
            self.workers.wait().await;
        }
        for transport in ways.transports_without(None) {
            transport.close().await;
        }
        if let Err(error) = self.spool.leave(self.node).await {
            tracing::error!(
                event = "spool.failing",
                error = &error as &dyn std::error::Error,
                "cannot give back leases"
            );
        }
    }

    /// Puts a delivery on its lane, unless recipients of it have moved: their routes are others by now.
    fn put_on_lane(self: &Arc<Self>, parcel: Parcel, moved: Vec<(u32, Destination)>) {
        let (ways, leased) = (self.ways.load(), &parcel.leased);
        let Some(hand) = self.in_hand.take(leased) else { return };
        if leased.destination.is_sender() {
            self.beside_lanes.fetch_add(1, Ordering::Relaxed);
            self.workers.spawn(self.clone().tell_sender(Carried::new(parcel, hand)));
            return;
        }
        if leased.returned {
            self.beside_lanes.fetch_add(1, Ordering::Relaxed);
            self.workers.spawn(self.clone().hand_back(Carried::new(parcel, hand)));
            return;
        }
        match ways.to(&leased.destination) {
            Some(way) if moved.is_empty() => {
                let (lane, replaced) = self.lanes.find_or_make(&leased.destination, way);
                if let Some(replaced) = replaced {
                    self.workers.spawn(self.clone().retire(replaced));
                }
                if lane.push(Carried::new(parcel, hand)) {
                    self.workers.spawn(self.clone().work(lane));
                }
            }
            _ => {
                self.beside_lanes.fetch_add(1, Ordering::Relaxed);
                self.workers.spawn(self.clone().reroute(parcel.leased, hand, moved));
            }
        }
    }
}
