//! Keeps the lights of the server: everything is looked at once a minute, and what is found in here also whenever somebody wants to know it.
//!
//! One task does it, beside all others: no session and no message waits for it.

mod meant;
mod front_door;
mod look_up;
mod samples;
mod found;

use std::sync::Arc;
use std::time::Duration;

use auth::Authenticator;
use delivery::{Carrier, TroubledDestination};
use desk::health::{
    self, Condition, ConditionKind, DeliveryFacts, DiskFacts, Light, LightName, LightState, StoreFacts, Value,
};
use desk::view::{DatabaseStatus, ListenerStatus, Status, StoreStatus};
use desk::{Desk, Health};
use dns::Resolver;
use store::SpoolError;
use stores::{Spool, Store};
use submission::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use self::found::{backups, certificate, certificate_status, destination, late, told};
pub(crate) use self::meant::Meant;
use self::samples::Samples;
use crate::clock;

/// How often everything is looked at.
const EVERY: Duration = Duration::from_secs(60);

/// How long one look at one thing may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often sealed secrets are opened: all of them.
const SECRETS: Duration = Duration::from_secs(60 * 60);

/// When they are tried again if they could not be.
const SECRETS_AGAIN: Duration = Duration::from_secs(10 * 60);

/// How long something may take that goes through all there is. Whoever asks whether the server is ready waits for longer.
const COUNTING: Duration = Duration::from_secs(3);

/// The queue is counted for no more of the time than one part of so many.
const SELDOM: u32 = 50;

/// Destinations in trouble that are told at most.
const DESTINATIONS: usize = 100;

/// What the lights look at.
pub(crate) struct Lights {
    pub(crate) health: Health,
    pub(crate) store: Store,
    pub(crate) desk: Desk,
    pub(crate) judge: Arc<Authenticator>,
    pub(crate) carrier: Arc<Carrier<Spool>>,
    pub(crate) resolver: Resolver,
    pub(crate) handle: Handle,
    pub(crate) meant: watch::Receiver<Meant>,
    /// Where pages are served, each as `address/protocol`.
    pub(crate) page_addresses: Vec<String>,
}

/// What lasts from one look to the next.
struct Memory {
    samples: Samples,
    /// How many sealed secrets do not open, or why that can't be told, until then.
    unopened: Option<(Instant, Result<u64, String>)>,
    /// When the queue may be counted again.
    count_at: Instant,
}

/// What the carrier knows of mail that does not leave.
type Stuck = (Vec<TroubledDestination>, Vec<(String, String)>);

/// What became of a write to the store: how long it took, or why it could not be made.
type Written = Result<Duration, SpoolError>;

/// Looks until it is told to stop. What needs an answer over a connection keeps nobody waiting who wants to know the rest.
pub(crate) async fn run(lights: Lights, stop: CancellationToken) {
    let looking =
        async { tokio::join!(lights.look_near_again_and_again(), lights.look_far_again_and_again()) };
    stop.run_until_cancelled(looking).await;
}

/// Once a minute; after a pause of the machine not more often.
fn minutes() -> Interval {
    let mut minutes = interval(EVERY);
    minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
    minutes
}

impl Lights {
    async fn look_near_again_and_again(&self) {
        let mut memory = Memory { samples: Samples::default(), unopened: None, count_at: Instant::now() };
        let mut minutes = minutes();
        loop {
            let is_new_minute = tokio::select! {
                _ = minutes.tick() => true,
                () = self.health.wanted() => false,
            };
            if is_new_minute {
                memory.samples.take(&self.judge, self.carrier.counters());
            }
            self.look_near(&mut memory).await;
            self.count(&mut memory).await;
        }
    }

    async fn look_far_again_and_again(&self) {
        let mut minutes = minutes();
        loop {
            minutes.tick().await;
            let meant = self.meant.borrow().clone();
            let conditions = self.look_far(&meant).await;
            self.health.note(conditions, clock::now()).iter().for_each(tell);
        }
    }

    /// Looks at what is found in this process, its files and its store.
    async fn look_near(&self, memory: &mut Memory) {
        let (meant, now) = (self.meant.borrow().clone(), clock::now());
        let (written, stuck) = tokio::join!(self.written(), self.stuck());
        let store = StoreFacts {
            unwritable: written.as_ref().err().filter(|error| !matches!(error, SpoolError::Full)).map(told),
            may_lack: self.store.losses(),
            unopened: self.unopened(&mut memory.unopened).await,
        };
        let mut conditions = vec![
            (LightName::Certificate, certificate(&meant, now)),
            (LightName::Delivery, self.delivery(&memory.samples, stuck.as_ref())),
            (LightName::Disk, self.disk(&written)),
            (LightName::Store, health::store(&store)),
            (LightName::Logins, health::logins(&memory.samples.logins(&self.judge))),
        ];
        match &meant.backup_stamp {
            Some(stamp) => conditions.push((LightName::Backups, backups(stamp, now))),
            None => self.health.forget(LightName::Backups),
        }
        let is_ready = self.handle.addresses().len() >= meant.listeners && written.is_ok();
        let status = Status {
            looked_at: now,
            listeners: self.listeners(),
            certificate: certificate_status(&meant),
            destinations: stuck.unwrap_or_default().0.into_iter().map(destination).collect(),
            logins: memory.samples.login_status(&self.judge),
            store: self.store_status(&written),
            ..self.health.known().status.clone()
        };
        self.health.note(conditions, now).iter().for_each(tell);
        self.health.found(status, is_ready);
    }

    /// What needs a connection, to ourselves or to a name server.
    async fn look_far(&self, meant: &Meant) -> Vec<(LightName, Condition)> {
        let dns = async {
            if meant.looks_up {
                look_up::look(&self.resolver, &meant.hostname).await
            } else {
                Condition::of(ConditionKind::DnsUnused)
            }
        };
        let (door, dns) = tokio::join!(
            timeout(PATIENCE, front_door::look(&self.handle, &meant.hostname)),
            timeout(PATIENCE, dns),
        );
        let door = door.unwrap_or_else(|_| Condition::of(ConditionKind::TookTooLong));
        let silent = Condition::of(ConditionKind::DnsLate).with("seconds", Value::Number(PATIENCE.as_secs()));
        let dns = dns.unwrap_or(silent);
        vec![(LightName::FrontDoor, door), (LightName::Dns, dns)]
    }

    /// Counts the queue, behind the look that says whether the server is ready: seldom, where there is much in it.
    async fn count(&self, memory: &mut Memory) {
        let begun = Instant::now();
        if begun < memory.count_at {
            return;
        }
        let counted = timeout(COUNTING, self.desk.queue_stats()).await;
        memory.count_at = Instant::now() + begun.elapsed() * SELDOM;
        self.health.counted(counted.ok().and_then(Result::ok));
    }

    async fn stuck(&self) -> Result<Stuck, SpoolError> {
        let stuck = async { tokio::try_join!(self.carrier.troubled(DESTINATIONS), self.carrier.unusable()) };
        timeout(COUNTING, stuck).await.unwrap_or_else(|_| Err(SpoolError::Failing(late(COUNTING).into())))
    }

    async fn written(&self) -> Written {
        let begun = Instant::now();
        match timeout(PATIENCE, self.store.try_to_write()).await {
            Ok(written) => written.map(|()| begun.elapsed()),
            Err(_) => Err(SpoolError::Failing(late(PATIENCE).into())),
        }
    }

    /// How many sealed secrets do not open, found now and then, or why that can't be told.
    async fn unopened(&self, known: &mut Option<(Instant, Result<u64, String>)>) -> Result<u64, String> {
        if let Some((until, found)) = known
            && Instant::now() < *until
        {
            return found.clone();
        }
        let found = match timeout(COUNTING, self.desk.unopened_secrets()).await {
            Ok(Ok(faults)) => Ok(u64::try_from(faults.len()).unwrap_or(u64::MAX)),
            Ok(Err(trouble)) => Err(trouble.to_string()),
            Err(_) => Err(late(COUNTING)),
        };
        let good = if found.is_ok() { SECRETS } else { SECRETS_AGAIN };
        *known = Some((Instant::now() + good, found.clone()));
        found
    }

    fn delivery(&self, samples: &Samples, stuck: Result<&Stuck, &SpoolError>) -> Condition {
        let (troubled, unusable) = match stuck {
            Ok(stuck) => stuck,
            Err(error) => return Condition::of(ConditionKind::DeliveryUnread).saying("why", told(error)),
        };
        // Among the mail hosts of the world there is always one that does not answer.
        let fixed: Vec<_> = troubled.iter().filter(|one| !one.destination.starts_with("mx")).collect();
        let number = u64::try_from(fixed.len()).unwrap_or(u64::MAX);
        let (lately, usually) = samples.fates(self.carrier.counters());
        health::delivery(&DeliveryFacts {
            lately,
            usually,
            troubled: fixed.first().map(|first| (number, first.destination.clone())),
            unusable: unusable.first().cloned(),
        })
    }

    fn disk(&self, written: &Written) -> Condition {
        let is_full = matches!(written, Err(SpoolError::Full));
        match self.store.disk_space() {
            Ok(space) => health::disk(&DiskFacts {
                free: space.free,
                total: space.total,
                is_full,
                commit: written.as_ref().ok().copied(),
            }),
            Err(error) => Condition::of(ConditionKind::DiskUnknown).saying("why", error),
        }
    }

    fn listeners(&self) -> Vec<ListenerStatus> {
        let mail = self.handle.addresses().into_iter();
        let mail = mail.map(|(address, tls)| (address.to_string(), tls.name().to_owned()));
        let pages = self.page_addresses.iter().filter_map(|address| address.rsplit_once('/'));
        let pages = pages.map(|(address, protocol)| (address.to_owned(), protocol.to_owned()));
        mail.chain(pages).map(|(address, protocol)| ListenerStatus { address, protocol }).collect()
    }

    fn store_status(&self, written: &Written) -> StoreStatus {
        let (sizes, space) = (self.store.sizes().unwrap_or_default(), self.store.disk_space().ok());
        let commit = written.as_ref().ok();
        StoreStatus {
            writable: written.is_ok(),
            commit_ms: commit.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX)),
            databases: sizes.into_iter().map(|(name, octets)| DatabaseStatus { name, octets }).collect(),
            disk_free: space.map(|space| space.free),
            disk_total: space.map(|space| space.total),
        }
    }
}

fn tell((light, before): &(Light, LightState)) {
    let (name, state, before) = (light.name.name(), light.state(), before.name());
    match state {
        LightState::Good | LightState::Unknown => tracing::info!(
            event = "light.changed",
            light = name,
            state = state.name(),
            before,
            "{name}: {}",
            light.condition
        ),
        LightState::Look | LightState::Broken => tracing::warn!(
            event = "light.changed",
            light = name,
            state = state.name(),
            before,
            "{name}: {}. {}",
            light.condition,
            light.condition.kind.to_do()
        ),
    }
}
