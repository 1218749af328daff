//! The policies that are in force: remembered, kept in the store, fetched when a domain says that there is a new one, and refreshed before
//! their time is over.
//!
//! What was fetched is in force until its time is over, whether or not the DNS or the policy host answers meanwhile: else whoever keeps them
//! from answering could have the mail sent in the clear (RFC 8461 section 5.1).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use store::{Corrupt, Error, Page, StsPolicy};
use types::Domain;

use super::fetch::{FetchError, PolicyFetcher};
use super::policy::{Mode, Policy};
use super::record;
use super::store::PolicyStore;

/// How long a policy host is left alone after a fetch has failed (RFC 8461 section 3.3 suggests five minutes), or has brought a policy that is over
/// already.
const BACK_OFF: SignedDuration = SignedDuration::from_mins(5);
/// How often the use of a policy is noted.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long a policy is refreshed although nobody writes to its domain.
const UNUSED: SignedDuration = SignedDuration::from_hours(60 * 24);
/// Domains that are remembered; of the others the store knows.
const REMEMBERED: usize = 10_000;
/// Policies that are read from the store at a time.
const PAGE: u32 = 100;

/// The policies of all domains. Every way that asks the DNS for mail hosts shares them.
#[derive(Debug)]
pub struct StsPolicies {
    /// Without it no domain has a policy.
    store: Option<Box<dyn PolicyStore>>,
    now: fn() -> Timestamp,
    known: Mutex<HashMap<String, Arc<Known>>>,
}

/// What is known of a domain.
#[derive(Debug, Default)]
struct Known {
    state: Mutex<State>,
    /// One fetch at a time.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// Whether it is known what the store has, or something newer was fetched.
    read: bool,
    held: Option<Held>,
    failed: Option<(Timestamp, FetchError)>,
}

/// A policy in force.
#[derive(Debug, Clone)]
struct Held {
    id: String,
    policy: Arc<Policy>,
    fetched_at: Timestamp,
    expires_at: Timestamp,
    used_at: Timestamp,
    /// Whether the store has it.
    is_kept: bool,
}

/// How a domain stands to MTA-STS.
#[derive(Debug, Clone, Default)]
pub(crate) struct StsStanding {
    /// The policy that is in force.
    pub(crate) policy: Option<Arc<Policy>>,
    /// Why there is not the one that the domain has announced.
    pub(crate) failed: Option<FetchError>,
}

impl StsPolicies {
    /// None but those that this store has.
    #[must_use]
    pub fn new(store: Box<dyn PolicyStore>, now: fn() -> Timestamp) -> StsPolicies {
        StsPolicies { store: Some(store), now, known: Mutex::default() }
    }

    /// No domain has a policy.
    #[must_use]
    pub fn none() -> StsPolicies {
        StsPolicies { store: None, now: || Timestamp::UNIX_EPOCH, known: Mutex::default() }
    }

    /// How `domain` stands now. The DNS is asked whether there is a new policy, which is fetched then. If what the store has is damaged, it is fetched
    /// as well.
    ///
    /// # Errors
    /// When the store can't tell whether a policy is in force.
    pub(crate) async fn standing(
        &self,
        domain: &Domain,
        fetcher: &PolicyFetcher,
    ) -> Result<StsStanding, Error> {
        let Some(store) = &self.store else { return Ok(StsStanding::default()) };
        let name = domain.normal();
        let known = self.known(&name);
        let damaged = read(store.as_ref(), &name, &known).await?;
        let announced = announced(domain, fetcher).await;
        let damaged_id = damaged.as_ref().map(|_| String::new());
        if let Some(id) = &announced.clone().or(damaged_id)
            && known.lacks(id, (self.now)())
        {
            let _one = known.fetching.lock().await;
            // Unless somebody else has fetched it meanwhile.
            if known.lacks(id, (self.now)()) {
                self.fetch(store.as_ref(), domain, &known, id, fetcher).await;
            }
        }
        if let Some(damaged) = damaged.filter(|_| !known.state().read) {
            return Err(damaged.into());
        }
        self.note_use(store.as_ref(), &name, &known).await;
        Ok(known.standing(announced.is_some(), (self.now)()))
    }

    /// Fetches anew what was fetched more than a day ago, or is in force for less than half of its time, one after the other.
    pub(crate) async fn refresh(&self, fetcher: &PolicyFetcher) {
        if let Some(store) = &self.store
            && let Err(error) = self.refresh_all(store.as_ref(), fetcher).await
        {
            complain(&error);
        }
    }

    async fn refresh_all(&self, store: &dyn PolicyStore, fetcher: &PolicyFetcher) -> Result<(), Error> {
        let now = (self.now)();
        let used_since = now.checked_sub(UNUSED).unwrap_or(Timestamp::MIN);
        let mut page = Page::first(PAGE);
        loop {
            let found = store.to_refresh(now, used_since, page).await?;
            let Some(last) = found.last() else { return Ok(()) };
            page = Page { after: Some(last.domain.clone()), limit: PAGE };
            for policy in found {
                self.refresh_one(store, policy, fetcher).await?;
            }
        }
    }

    /// Whatever the DNS says: else whoever keeps it from answering could have the policy run out (RFC 8461 section 10.2).
    async fn refresh_one(
        &self,
        store: &dyn PolicyStore,
        old: StsPolicy,
        fetcher: &PolicyFetcher,
    ) -> Result<(), Error> {
        let Ok(domain) = Domain::parse(&old.domain) else { return Ok(()) };
        let id = announced(&domain, fetcher).await.unwrap_or(old.id);
        let known = self.known(&old.domain);
        read(store, &old.domain, &known).await?;
        let _one = known.fetching.lock().await;
        if known.may_try((self.now)()) {
            self.fetch(store, &domain, &known, &id, fetcher).await;
        }
        Ok(())
    }

    async fn fetch(
        &self,
        store: &dyn PolicyStore,
        domain: &Domain,
        known: &Known,
        id: &str,
        fetcher: &PolicyFetcher,
    ) {
        match fetcher.fetch(domain).await {
            Ok(policy) => self.adopt(store, &domain.normal(), known, (id, policy)).await,
            Err(error) => {
                tracing::info!(
                    event = "sts.unfetched",
                    domain = %domain.normal(),
                    error = %error,
                    "the MTA-STS policy of {} could not be fetched: {error}",
                    domain.normal()
                );
                known.state().failed = Some(((self.now)(), error));
            }
        }
    }

    /// The store first: what is in force must outlive a restart. What is over before it would be fetched again is not kept.
    async fn adopt(&self, store: &dyn PolicyStore, name: &str, known: &Known, (id, policy): (&str, Policy)) {
        let now = (self.now)();
        let used_at = known.state().held.as_ref().map_or(now, |held| held.used_at);
        let lasts = SignedDuration::try_from(policy.max_age).unwrap_or(SignedDuration::ZERO);
        let held = Held {
            id: id.to_owned(),
            is_kept: policy.mode != Mode::None && lasts >= BACK_OFF,
            policy: Arc::new(policy),
            fetched_at: now,
            expires_at: now.checked_add(lasts).unwrap_or(Timestamp::MAX),
            used_at,
        };
        if let Err(error) = known.replace(store, name, &held).await {
            complain(&error);
        }
        let mut state = known.state();
        *state = State { read: true, held: Some(held), failed: None };
    }

    async fn note_use(&self, store: &dyn PolicyStore, name: &str, known: &Known) {
        let now = (self.now)();
        if known.is_used_anew(now)
            && let Err(error) = store.note_use(name, now).await
        {
            complain(&error);
        }
    }

    /// What is known of a domain.
    fn known(&self, name: &str) -> Arc<Known> {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED && !all.contains_key(name) {
            all.retain(|_, known| Arc::strong_count(known) > 1);
        }
        Arc::clone(all.entry(name.to_owned()).or_default())
    }
}

/// Learns what the store has of a domain, unless that is known. What is damaged comes back, and is told of.
async fn read(store: &dyn PolicyStore, name: &str, known: &Known) -> Result<Option<Corrupt>, Error> {
    if known.state().read {
        return Ok(None);
    }
    let found = store.find(name).await;
    match found.and_then(|found| Ok(found.map(Held::from_row).transpose()?)) {
        Ok(held) => known.learn(held),
        Err(Error::Corrupt(damaged)) => {
            complain(&damaged);
            return Ok(Some(damaged));
        }
        Err(error) => return Err(error),
    }
    Ok(None)
}

impl Held {
    fn from_row(row: StsPolicy) -> Result<Held, Corrupt> {
        let policy = Policy::parse(row.text.as_bytes());
        let policy = policy.map_err(|_| Corrupt::on("sts_policies", row.domain, "text"))?;
        let StsPolicy { id, fetched_at, expires_at, used_at, .. } = row;
        Ok(Held { id, policy: Arc::new(policy), fetched_at, expires_at, used_at, is_kept: true })
    }

    fn to_row(&self, name: &str) -> StsPolicy {
        let Held { id, policy, fetched_at, expires_at, used_at, .. } = self.clone();
        let (domain, text) = (name.to_owned(), policy.text.clone());
        StsPolicy { domain, id, text, fetched_at, expires_at, used_at }
    }
}

impl Known {
    /// Takes over what the store has, unless something newer was fetched meanwhile.
    fn learn(&self, held: Option<Held>) {
        let mut state = self.state();
        if !std::mem::replace(&mut state.read, true) && state.held.is_none() {
            state.held = held;
        }
    }

    /// Has the store keep this in the place of what it has, or nothing.
    async fn replace(&self, store: &dyn PolicyStore, name: &str, new: &Held) -> Result<(), Error> {
        let (is_damaged, is_kept) = {
            let state = self.state();
            (!state.read, state.held.as_ref().is_some_and(|held| held.is_kept))
        };
        if is_damaged || (is_kept && !new.is_kept) {
            store.forget(name).await?;
        }
        if new.is_kept {
            store.keep(&new.to_row(name)).await?;
        }
        Ok(())
    }

    /// Whether a policy of this id is to be fetched now.
    fn lacks(&self, id: &str, now: Timestamp) -> bool {
        let has_it = self.state().held.as_ref().is_some_and(|held| {
            let is_new = now.duration_since(held.fetched_at).abs() < BACK_OFF;
            held.id == id && (held.expires_at > now || is_new)
        });
        !has_it && self.may_try(now)
    }

    fn may_try(&self, now: Timestamp) -> bool {
        self.state().failed.as_ref().is_none_or(|(at, _)| now.duration_since(*at).abs() >= BACK_OFF)
    }

    /// Whether it is used for the first time in a day.
    fn is_used_anew(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        let Some(held) = state.held.as_mut().filter(|held| held.policy.mode != Mode::None) else {
            return false;
        };
        let is_anew = now.duration_since(held.used_at) >= DAY;
        if is_anew {
            held.used_at = now;
        }
        is_anew
    }

    fn standing(&self, is_announced: bool, now: Timestamp) -> StsStanding {
        let state = self.state();
        let in_force =
            state.held.as_ref().filter(|held| held.expires_at > now && held.policy.mode != Mode::None);
        let failed = state.failed.as_ref().filter(|_| is_announced).map(|(_, error)| error.clone());
        StsStanding { policy: in_force.map(|held| Arc::clone(&held.policy)), failed }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing done under this lock can be left half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of the policy that the domain says it has. A DNS that does not answer says nothing.
async fn announced(domain: &Domain, fetcher: &PolicyFetcher) -> Option<String> {
    let name = Domain::parse(&format!("_mta-sts.{}", domain.normal())).ok()?;
    let texts = fetcher.resolver().txt(&name).await.ok()?;
    record::id_of(&texts.records).map(str::to_owned)
}

/// Mail goes on by what is known.
fn complain(error: &(dyn std::error::Error + 'static)) {
    tracing::error!(
        event = "sts.failing",
        error,
        "the MTA-STS policies in the store can't be read or written"
    );
}
