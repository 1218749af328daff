//! Holding the right to deliver: what is due is leased, carried on its lane, written down, and only then given up.
//!
//! A message is carried on one lane at a time. Recipients that take another way stay due, and are leased again as soon as
//! the first have been recorded; so there is never a moment in which two attempts for one message are under way.

pub(crate) mod in_hand;
mod lanes;
mod ways;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use esmtp::dialogue::{Enhanced, Reply};
use jiff::{SignedDuration, Timestamp};
use store::{Lease, Leased, Recipient, Spool, SpoolError, Submission};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::EnvelopeRecipient;

use crate::next_host::NextHostError;
use crate::parcel::{Attempt, Parcel};
use crate::record::{Ending, Ledger};
use crate::route::Routes;
use crate::schedule::Schedule;
use crate::transport::smtp;
use in_hand::InHand;
use lanes::Lane;
pub use ways::Ways;

/// Messages carried at once on all lanes.
const AT_ONCE: usize = 200;
/// Messages leased by one statement.
const BATCH: usize = 500;
/// How often the queue is looked at without being told, for what the command line has changed.
const POLL: Duration = Duration::from_secs(2);
/// Recipients in one attempt: every server takes so many (RFC 5321 section 4.5.3.1.8). Others follow at once.
const RECIPIENTS: usize = 100;
/// How long a lease lasts: the time on the lane, and then a whole attempt, which may take hours for so many recipients.
const LEASE: SignedDuration = SignedDuration::from_hours(12);
/// How often it is looked for what a clock ahead has set.
const CLOCK_CHECK: Duration = Duration::from_secs(10);
/// How mail is carried.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The name of this node in leases: the same after a restart, different from that of any other node on the same store.
    pub owner: Arc<str>,
    /// Our name: in EHLO, and in the names of Maildir files.
    pub hostname: String,
    /// When to try again.
    pub schedule: Schedule,
    /// How long running attempts may go on after a stop.
    pub grace: Duration,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// Carries accepted mail away until it is told to stop.
#[derive(Debug)]
pub struct Carrier<S> {
    spool: Arc<S>,
    ways: ArcSwap<Ways>,
    ledger: Ledger<S>,
    in_hand: InHand,
    settings: Settings,
    /// Whether new messages may be leased from the start: only while somebody is there to carry them.
    open: AtomicBool,
    wake: Arc<Notify>,
    at_once: Arc<Semaphore>,
    workers: TaskTracker,
    /// No new attempts.
    stopping: CancellationToken,
    /// The grace is over.
    aborting: CancellationToken,
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
        let ledger = Ledger::new(spool.clone(), settings.now, wake.clone(), aborting.clone());
        Ok(Arc::new(Carrier {
            spool,
            ledger,
            in_hand: InHand::default(),
            ways: ArcSwap::from_pointee(ways),
            settings,
            open: AtomicBool::new(false),
            wake,
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
            workers: TaskTracker::new(),
            stopping: CancellationToken::new(),
            aborting,
        }))
    }

    /// Carries mail until `stop`, then lets running attempts end within the grace and gives back what is leased.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        self.give_back_all().await;
        self.open.store(true, Ordering::Release);
        let (mut full_since, mut clock_checked) = (None, None);
        while !stop.is_cancelled() {
            let looked = async {
                self.bring_forward(&mut clock_checked).await?;
                self.lease_what_is_due(&mut full_since).await
            };
            let wait = looked.await.unwrap_or_else(|error| {
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

    async fn finish(&self) {
        self.open.store(false, Ordering::Release);
        self.stopping.cancel();
        self.workers.close();
        let ways = self.ways.load_full();
        if timeout(ways.grace, self.workers.wait()).await.is_err() {
            self.aborting.cancel();
            self.workers.wait().await;
        }
        for lane in &ways.lanes {
            lane.close().await;
        }
        self.give_back_all().await;
    }

    async fn give_back_all(&self) {
        if let Err(error) = self.spool.release_leases(&self.settings.owner).await {
            tracing::error!(
                event = "spool.failing",
                error = &error as &dyn std::error::Error,
                "cannot give back leases"
            );
        }
    }

    /// What is due later than any schedule or lease lasts was set by a clock that was ahead. It is due now.
    async fn bring_forward(&self, checked: &mut Option<Instant>) -> Result<(), SpoolError> {
        if checked.is_some_and(|checked| checked.elapsed() < CLOCK_CHECK) {
            return Ok(());
        }
        let now = (self.settings.now)();
        let longest =
            SignedDuration::try_from(self.settings.schedule.longest_wait()).unwrap_or(SignedDuration::MAX);
        let latest = now.checked_add(longest.max(LEASE)).unwrap_or(Timestamp::MAX);
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
    async fn lease_what_is_due(
        self: &Arc<Self>,
        full_since: &mut Option<Instant>,
    ) -> Result<Duration, SpoolError> {
        loop {
            let appetite = self.appetite(full_since);
            if appetite == Appetite::None {
                return Ok(POLL);
            }
            let now = (self.settings.now)();
            let due =
                self.spool.lease_due(&self.settings.owner, now, lease_end(now), appetite.at_most()).await?;
            let found = due.len();
            for leased in due {
                self.put_on_lane(leased, appetite);
            }
            if found < appetite.at_most() {
                return self.until_next().await;
            }
        }
    }

    fn appetite(&self, full_since: &mut Option<Instant>) -> Appetite {
        let ways = self.ways.load();
        let rooms = || ways.lanes.iter().map(|lane| lane.room());
        let (least, most) = (rooms().min().unwrap_or(0), rooms().max().unwrap_or(0));
        if least > 0 {
            *full_since = None;
            return Appetite::Some(least.min(BATCH));
        }
        // A lane that is only busy has room again in a moment. One that stays full must not hide the mail of the others.
        let since = full_since.get_or_insert_with(Instant::now);
        if most == 0 || since.elapsed() < POLL {
            return Appetite::None;
        }
        *since = Instant::now();
        Appetite::Probe
    }

    async fn until_next(&self) -> Result<Duration, SpoolError> {
        let Some(next) = self.spool.next_due().await? else { return Ok(POLL) };
        let wait = next.duration_since((self.settings.now)());
        // At least a tick: what is due this instant and was not leased is in somebody's hands.
        Ok(Duration::try_from(wait).unwrap_or_default().clamp(Duration::from_millis(50), POLL))
    }

    /// Puts a message on its lane. One that was found by probing a full lane comes again later instead.
    fn put_on_lane(self: &Arc<Self>, leased: Leased, appetite: Appetite) {
        let Some((lane, parcel)) = self.parcel(leased) else { return };
        if appetite == Appetite::Probe && lane.room() == 0 {
            let ending = Ending::Tried(Attempt::deferred(&parcel, None, &congested()));
            self.workers.spawn(self.clone().write_down(parcel, ending, None));
        } else if lane.push(parcel) {
            self.workers.spawn(self.clone().work(lane));
        }
    }

    /// The recipients who are next, with the lane that they take.
    fn parcel(&self, leased: Leased) -> Option<(Arc<Lane>, Parcel)> {
        let ways = self.ways.load();
        let way = ways.choose(&leased)?;
        let takes = |recipient: &&Recipient| ways.routes.way(&recipient.forward_path) == way;
        let recipients = leased.recipients.iter().filter(takes).take(RECIPIENTS).cloned().collect();
        let lane = ways.lanes.get(way)?.clone();
        // Leased again while it is carried: the clock was set. Two attempts at once would be two copies.
        let hand = self.in_hand.take(leased.submission.id)?;
        Some((lane, Parcel { leased, recipients, hand }))
    }

    /// Carries parcels of one lane while there are any.
    async fn work(self: Arc<Self>, lane: Arc<Lane>) {
        let mut shift = lane.begin();
        while !self.stopping.is_cancelled()
            && let Some(parcel) = shift.next()
        {
            let Ok(permit) = self.at_once.clone().acquire_owned().await else { return };
            let ending = tokio::select! {
                biased;
                ending = self.attempt(&lane, &parcel) => ending,
                () = self.aborting.cancelled() => return,
            };
            // Written down beside the next attempt: many endings then share one sync of the spool.
            self.workers.spawn(self.clone().write_down(parcel, ending, Some(permit)));
        }
    }

    async fn attempt(&self, lane: &Lane, parcel: &Parcel) -> Ending {
        if lane.holds() {
            return Ending::Held;
        }
        if !self.lease_lasts(parcel) {
            return Ending::Untried;
        }
        match lane.carry(parcel, &*self.spool).await {
            Ok(attempt) => Ending::Tried(attempt),
            Err(error) => Ending::Unreadable(error),
        }
    }

    /// The permit bounds what a crash can leave delivered and not recorded.
    async fn write_down(
        self: Arc<Self>,
        parcel: Parcel,
        ending: Ending,
        _permit: Option<OwnedSemaphorePermit>,
    ) {
        let schedule = self.ways.load().schedule;
        self.ledger.close(&parcel, ending, &schedule).await;
        if parcel.hand.let_go() {
            self.ledger.give_back(&parcel).await;
        }
    }

    fn lease_lasts(&self, parcel: &Parcel) -> bool {
        let left = parcel.leased.lease.until.duration_since((self.settings.now)());
        Duration::try_from(left).is_ok_and(|left| left > smtp::longest(parcel.recipients.len()))
    }
}

/// How a running carrier is given other ways.
impl<S: Spool> Carrier<S> {
    /// Prepares other routes, another schedule and another grace. A way that stays as it is keeps its connections and what waits for
    /// it. Nothing changes before [`Carrier::replace`].
    ///
    /// # Errors
    /// As [`Carrier::new`].
    pub fn prepare(
        &self,
        routes: Routes,
        schedule: Schedule,
        grace: Duration,
    ) -> Result<Ways, NextHostError> {
        Ways::new(routes, (schedule, grace), &self.settings.hostname, &self.wake, Some(&self.ways.load()))
    }

    /// Has mail take these ways from now on. Attempts that are under way end as they began; what waits for a way that is no more
    /// is given back to the queue, due at once.
    pub fn replace(self: &Arc<Self>, ways: Ways) {
        let ways = Arc::new(ways);
        let old = self.ways.swap(ways.clone());
        for lane in &old.lanes {
            if !ways.lanes.iter().any(|kept| Arc::ptr_eq(kept, lane)) {
                self.workers.spawn(self.clone().retire(lane.clone()));
            }
        }
        self.wake.notify_one();
    }

    async fn retire(self: Arc<Self>, lane: Arc<Lane>) {
        for parcel in lane.clear() {
            self.clone().write_down(parcel, Ending::Untried, None).await;
        }
        self.wake.notify_one();
        lane.close().await;
    }
}

/// What the committer needs.
impl<S: Spool> Carrier<S> {
    pub(crate) fn spool(&self) -> &Arc<S> {
        &self.spool
    }

    /// Whether every one of its recipients takes a route that is `hold`.
    pub(crate) fn holds(&self, submission: &Submission) -> bool {
        self.ways.load().routes.hold(submission.recipients.iter().map(|recipient| &recipient.path))
    }

    /// The lease that a new message may have from the start, if it can be carried at once.
    pub(crate) fn lease_for(&self, submission: &Submission) -> Option<Lease> {
        let ways = self.ways.load();
        let room = |recipient: &EnvelopeRecipient| {
            ways.lanes.get(ways.routes.way(&recipient.path)).is_some_and(|lane| lane.room() > 0)
        };
        let carried =
            self.open.load(Ordering::Acquire) && !submission.held && submission.recipients.iter().all(room);
        carried.then(|| Lease { owner: self.settings.owner.clone(), until: lease_end((self.settings.now)()) })
    }

    /// Takes over a message that has just become durable.
    pub(crate) fn committed(self: &Arc<Self>, leased: Option<Leased>) {
        match leased {
            Some(leased) => self.put_on_lane(leased, Appetite::Some(1)),
            None => self.wake.notify_one(),
        }
    }
}

/// How much may be leased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Appetite {
    /// So much fits on any lane.
    Some(usize),
    /// Some lane stays full, and another is not: whose mail waits is seen only when it is leased.
    Probe,
    /// Every lane is full.
    None,
}

impl Appetite {
    fn at_most(self) -> usize {
        match self {
            Appetite::Some(at_most) => at_most,
            Appetite::Probe => BATCH,
            Appetite::None => 0,
        }
    }
}

fn lease_end(now: Timestamp) -> Timestamp {
    now.checked_add(LEASE).unwrap_or(Timestamp::MAX)
}

/// RFC 3463 section 3.5, X.4.5.
fn congested() -> Reply {
    Reply::ours(451, Enhanced(4, 4, 5), "too much other mail waits for the same host")
}
