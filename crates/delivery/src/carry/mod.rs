//! Holding the right to deliver: what is due is leased, carried on its lane, written down, and only then given up.
//!
//! The unit is a delivery, those recipients of a message that go to one destination: whatever happens to it keeps no other delivery
//! waiting. Nothing is leased to be looked at, and no attempt is recorded that was not made. A lease does not end by a clock: it is
//! this process's as long as it is on the list of nodes (`membership`).

pub(crate) mod in_hand;
mod attempt;
mod beside_lanes;
mod changes;
mod intake;
mod lane;
mod membership;
mod turns;
mod ways;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::{SignedDuration, Timestamp};
use store::{Destination, HeldLease, Leased, MasterKeyId, Spool, SpoolError, Waiting};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::NodeId;

use crate::next_host::NextHostError;
use crate::parcel::Parcel;
use crate::record::{Ending, Recorder, complain};
use crate::route::Routes;
use crate::schedule::Schedule;
use in_hand::{Carried, InHand};
use lane::Lane;
use membership::Membership;
pub use ways::Ways;

/// Messages carried at once on all lanes.
const AT_ONCE: usize = 200;
/// Deliveries to one destination leased by one statement.
const BATCH: usize = 500;
/// How often the queue is looked at without being told, for what the command line has changed.
const POLL: Duration = Duration::from_secs(2);
/// The least time between two looks at the queue when nothing tells of more.
const TICK: Duration = Duration::from_millis(50);
/// How often it is looked for what a clock ahead has set.
const CLOCK_CHECK: Duration = Duration::from_secs(10);
/// What is due within this time is not taken for the work of a clock ahead, however short the schedule is.
const PATIENCE: SignedDuration = SignedDuration::from_hours(12);

/// How mail is carried.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Our name: in EHLO, in the names of Maildir files, and in the list of nodes.
    pub hostname: String,
    /// When to try again.
    pub schedule: Schedule,
    /// How long running attempts may go on after a stop.
    pub grace: Duration,
    /// The newest of the master keys that this process has, for the list of nodes.
    pub newest_key: watch::Receiver<MasterKeyId>,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// Carries accepted mail away until it is told to stop.
#[derive(Debug)]
pub struct Carrier<S> {
    spool: Arc<S>,
    ways: ArcSwap<Ways>,
    recorder: Recorder<S>,
    in_hand: InHand,
    /// This process, in the leases that it has.
    node: NodeId,
    settings: Settings,
    /// Whether new messages may be leased from the start: only while somebody is there to carry them.
    open: AtomicBool,
    wake: Arc<Notify>,
    at_once: Arc<Semaphore>,
    /// Deliveries that are leased and wait on no lane: they get other destinations, or are returned to their senders.
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
    /// Prepares a lane for each way of `routes`.
    ///
    /// # Errors
    /// What the operator has to put right, such as a host name that is none.
    pub fn new(spool: Arc<S>, routes: Routes, settings: Settings) -> Result<Arc<Carrier<S>>, NextHostError> {
        let wake = Arc::new(Notify::new());
        let times = (settings.schedule, settings.grace);
        let ways = Ways::new(routes, times, &settings.hostname, &wake, None)?;
        let aborting = CancellationToken::new();
        let recorder =
            Recorder::new(spool.clone(), &settings.hostname, settings.now, wake.clone(), aborting.clone());
        let started = u64::try_from((settings.now)().as_millisecond()).unwrap_or_default();
        Ok(Arc::new(Carrier {
            spool,
            recorder,
            in_hand: InHand::default(),
            node: NodeId::new(started, rand::random()),
            ways: ArcSwap::from_pointee(ways),
            settings,
            open: AtomicBool::new(false),
            wake,
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
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
        let mut membership = Membership::new(self.node, hostname, now(), newest_key.clone());
        let mut clock_checked = None;
        while !stop.is_cancelled() {
            let wait = self.look(&mut membership, &mut clock_checked).await.unwrap_or_else(|error| {
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

    /// Waits until [`run`](Self::run) has put this process on the list of nodes, or has failed in it: then it tries again, and takes mail
    /// meanwhile.
    pub async fn tried_to_join(&self) {
        self.tried_to_join.cancelled().await;
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
        for lane in ways.lanes() {
            lane.close().await;
        }
        if let Err(error) = self.spool.leave(self.node).await {
            tracing::error!(
                event = "spool.failing",
                error = &error as &dyn std::error::Error,
                "cannot give back leases"
            );
        }
    }

    /// A look at the queue; how long to wait until the next.
    async fn look(
        self: &Arc<Self>,
        membership: &mut Membership,
        clock_checked: &mut Option<Instant>,
    ) -> Result<Duration, SpoolError> {
        let kept = membership.keep(&*self.spool, &self.in_hand).await;
        self.tried_to_join.cancel();
        kept?;
        self.open.store(true, Ordering::Release);
        self.bring_forward(clock_checked).await?;
        self.lease_what_is_due().await
    }

    /// What is due later than any schedule has it was set by a clock that was ahead. It is due now.
    async fn bring_forward(&self, checked: &mut Option<Instant>) -> Result<(), SpoolError> {
        if checked.is_some_and(|checked| checked.elapsed() < CLOCK_CHECK) {
            return Ok(());
        }
        let now = (self.settings.now)();
        let longest =
            SignedDuration::try_from(self.ways.load().schedule.longest_wait()).unwrap_or(SignedDuration::MAX);
        let latest = now.checked_add(longest.max(PATIENCE)).unwrap_or(Timestamp::MAX);
        if self.spool.bring_forward(latest, now).await? {
            tracing::warn!(
                event = "spool.brought-forward",
                "mail that a clock ahead has put off further than any schedule is due now"
            );
        }
        *checked = Some(Instant::now());
        Ok(())
    }

    /// Leases as much as the lanes have room for; how long to wait until there may be more.
    async fn lease_what_is_due(self: &Arc<Self>) -> Result<Duration, SpoolError> {
        loop {
            let (waiting, now) = (self.spool.waiting().await?, (self.settings.now)());
            let room = self.room(&waiting, now);
            if room.is_empty() {
                return Ok(until_next(&waiting, now));
            }
            let due = self.spool.lease_due(self.node, now, room).await?;
            if due.is_empty() {
                return Ok(TICK);
            }
            for leased in due {
                let moved = self.ways.load().moved(&leased);
                self.put_on_lane(leased, moved);
            }
        }
    }

    /// How much is to be leased for each destination that something is due for.
    fn room(&self, waiting: &[Waiting], now: Timestamp) -> Vec<(Destination, u32)> {
        let ways = self.ways.load();
        // A queue whose routes have all changed, or that an operator returns, is not in memory as a whole.
        let most = BATCH.saturating_sub(self.beside_lanes.load(Ordering::Relaxed));
        let due = waiting.iter().filter(|waiting| waiting.due_at <= now);
        let room = due.map(|Waiting { destination, .. }| {
            // What no route leads to any more is leased, too, to give it its new destinations.
            let room = ways.lane(destination).map_or(most, |lane| lane.room().min(most));
            (destination.clone(), u32::try_from(room).unwrap_or_default())
        });
        room.filter(|(_, room)| *room > 0).collect()
    }

    /// Puts a delivery on its lane, unless recipients of it have moved: their routes are others by now.
    fn put_on_lane(self: &Arc<Self>, leased: Leased, moved: Vec<(u32, Destination)>) {
        let ways = self.ways.load();
        let Some(hand) = self.in_hand.take(&leased) else { return };
        if leased.returned {
            self.beside_lanes.fetch_add(1, Ordering::Relaxed);
            self.workers.spawn(self.clone().hand_back(Carried::new(Parcel::new(leased), hand)));
            return;
        }
        match ways.lane(&leased.destination) {
            Some(lane) if moved.is_empty() => {
                if lane.push(Carried::new(Parcel::new(leased), hand)) {
                    self.workers.spawn(self.clone().work(lane.clone()));
                }
            }
            _ => {
                self.beside_lanes.fetch_add(1, Ordering::Relaxed);
                self.workers.spawn(self.clone().reroute(leased, hand, moved));
            }
        }
    }

    /// Gives back the lease, if there is one, that was taken of a delivery while it was still in hand.
    async fn let_go(&self, taken_again: Option<HeldLease>) {
        let Some(lease) = taken_again else { return };
        let id = lease.delivery.entry;
        if let Err(error) = self.spool.give_back(self.node, vec![lease]).await {
            complain(id, &error, "cannot give back a lease");
        }
        self.wake.notify_one();
    }

    /// Carries parcels of one lane while there are any.
    async fn work(self: Arc<Self>, lane: Arc<Lane>) {
        let mut shift = lane.begin();
        while !self.stopping.is_cancelled()
            && let Some(carried) = shift.next()
        {
            let Ok(permit) = self.at_once.clone().acquire_owned().await else { return };
            if carried.is_called_off() {
                self.workers.spawn(self.clone().write_down(carried, Ending::Untried, Some(permit)));
                continue;
            }
            let ending = tokio::select! {
                biased;
                ending = self.attempt(&lane, &carried.parcel) => ending,
                () = self.aborting.cancelled() => return,
            };
            // Written down beside the next attempt: many endings then share one sync of the spool.
            self.workers.spawn(self.clone().write_down(carried, ending, Some(permit)));
        }
    }

    /// The permit bounds what a crash can leave delivered and not recorded.
    async fn write_down(
        self: Arc<Self>,
        carried: Carried,
        ending: Ending,
        _permit: Option<OwnedSemaphorePermit>,
    ) {
        let schedule = self.ways.load().schedule;
        self.recorder.close(&carried.parcel, ending, &schedule).await;
        self.let_go(carried.let_go()).await;
    }
}

/// When to look again. Destinations that something is due for are full, and wake us when they have room.
fn until_next(waiting: &[Waiting], now: Timestamp) -> Duration {
    let next = waiting.iter().map(|waiting| waiting.due_at).filter(|due_at| *due_at > now).min();
    let wait = next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
    wait.unwrap_or(POLL).clamp(TICK, POLL)
}
