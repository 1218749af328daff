//! The keys of a provider, kept so that it need not be asked for each login, nor answer.
//!
//! - Keys count as fresh for an hour. Then they are asked for again, and kept for a day if there is no answer.
//! - A key that is not among them may be new: providers change theirs. So they are asked for at once, but for that
//!   reason only once in five minutes, as anybody can invent keys.
//! - One at a time asks; those who need the answer wait for it, and those who do not, don't.
//! - After an answer that did not come, or was no use, there is a pause.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::DecodingKey;
use tokio::sync::{Mutex, MutexGuard};
use types::{Endpoint, SignatureAlgorithm};

use super::discovery::{self, good};
use super::fault::ProviderTrouble;
use super::key_set::KeySet;
use crate::fetch::Fetcher;

/// How long keys are taken as they are.
const FRESH: SignedDuration = SignedDuration::from_hours(1);

/// How long keys are kept if the provider does not answer.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How often keys may be asked for because a token names one that is not known.
const SOUGHT: SignedDuration = SignedDuration::from_mins(5);

/// The pause after a failure.
const PAUSE: SignedDuration = SignedDuration::from_secs(10);

/// The keys of one provider.
#[derive(Debug)]
pub(crate) struct Keys {
    issuer: String,
    /// The issuer as a URL.
    at: Endpoint,
    /// Where the keys are, if the operator has said so.
    pinned: Option<Endpoint>,
    fetcher: Fetcher,
    known: ArcSwapOption<Known>,
    asking: Mutex<Asking>,
}

#[derive(Debug)]
struct Known {
    set: KeySet,
    since: Timestamp,
}

/// The state of asking; whoever holds its lock may ask.
#[derive(Debug, Default)]
struct Asking {
    /// The last time that there was no answer, if there was none since.
    failed: Option<Timestamp>,
    /// The last time that it was asked because of an unknown key.
    sought: Option<Timestamp>,
}

impl Keys {
    pub(crate) fn new(issuer: String, at: Endpoint, pinned: Option<Endpoint>, fetcher: Fetcher) -> Self {
        Self { issuer, at, pinned, fetcher, known: ArcSwapOption::empty(), asking: Mutex::default() }
    }

    /// Takes over what others know, if it came from the same place.
    pub(crate) fn inherit(&self, old: &Keys) {
        if self.pinned == old.pinned {
            self.known.store(old.known.load_full());
        }
    }

    /// The keys that a token may be signed by: none, if the provider has no such key.
    pub(crate) async fn find(
        &self,
        id: Option<&str>,
        algorithm: SignatureAlgorithm,
        now: Timestamp,
    ) -> Result<Vec<DecodingKey>, ProviderTrouble> {
        let find = |known: &Known| {
            let found = known.set.find(id, algorithm);
            (!found.is_empty()).then_some(found)
        };
        let before = self.kept(now);
        if let Some(found) = before.as_deref().and_then(find) {
            self.renew_if_old(now).await;
            return Ok(found);
        }
        let mut asking = self.asking.lock().await;
        // Somebody may have asked while this one waited.
        let known = self.kept(now);
        if let Some(found) = known.as_deref().and_then(find) {
            return Ok(found);
        }
        let asked_meanwhile = known.as_ref().map(|known| known.since) != before.map(|before| before.since);
        if known.is_some() && (asked_meanwhile || !asking.begin_seek(now)) {
            return Ok(Vec::new());
        }
        let known = self.ask(&mut asking, now).await?;
        Ok(find(&known).unwrap_or_default())
    }

    /// Asks for the keys, whatever is known.
    pub(crate) async fn reach(&self, now: Timestamp) -> Result<(), ProviderTrouble> {
        self.fetch(now).await.map(drop)
    }

    /// The keys that are known and not too old. Keys from the future are from a clock that was wrong.
    fn kept(&self, now: Timestamp) -> Option<Arc<Known>> {
        self.known.load_full().filter(|known| is_within(KEPT, known.since, now))
    }

    /// Asks for the keys again if they are not fresh, unless that is being done. A failure is only logged: the old keys still do.
    async fn renew_if_old(&self, now: Timestamp) {
        let is_fresh = |known: Arc<Known>| is_within(FRESH, known.since, now);
        let Ok(mut asking) = self.asking.try_lock() else { return };
        if self.kept(now).is_some_and(is_fresh) {
            return;
        }
        if let Err(error) = self.ask(&mut asking, now).await
            && !matches!(error, ProviderTrouble::Lately)
        {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(
                event = "oauth.keys.kept",
                issuer = self.issuer,
                error,
                "the keys of {} cannot be renewed; those that are known are kept",
                self.issuer
            );
        }
    }

    async fn ask(
        &self,
        asking: &mut MutexGuard<'_, Asking>,
        now: Timestamp,
    ) -> Result<Arc<Known>, ProviderTrouble> {
        if asking.failed.is_some_and(|failed| is_within(PAUSE, failed, now)) {
            return Err(ProviderTrouble::Lately);
        }
        match self.fetch(now).await {
            Ok(known) => {
                asking.failed = None;
                let known = Arc::new(known);
                self.known.store(Some(Arc::clone(&known)));
                let ids = known.set.ids().join(" ");
                tracing::info!(
                    event = "oauth.keys",
                    issuer = self.issuer,
                    keys = ids,
                    "keys of {} have come",
                    self.issuer
                );
                Ok(known)
            }
            Err(trouble) => {
                asking.failed = Some(now);
                Err(trouble)
            }
        }
    }

    async fn fetch(&self, now: Timestamp) -> Result<Known, ProviderTrouble> {
        let endpoint = match &self.pinned {
            Some(pinned) => pinned.clone(),
            None => discovery::keys_of(&self.issuer, &self.at, &self.fetcher).await?,
        };
        let answer = good(&endpoint, self.fetcher.get(&endpoint, &[]).await?)?;
        let wrong = "holds no keys for signatures";
        let set = KeySet::parse(&answer.body).ok_or(ProviderTrouble::Answer { endpoint, wrong })?;
        Ok(Known { set, since: now })
    }
}

impl Asking {
    /// Notes that an unknown key is a reason to ask, if it is one: once in five minutes, and always while the last request has failed, since then
    /// nobody can tell whether the provider has that key.
    fn begin_seek(&mut self, now: Timestamp) -> bool {
        if self.failed.is_none() && self.sought.is_some_and(|sought| is_within(SOUGHT, sought, now)) {
            return false;
        }
        self.sought = Some(now);
        true
    }
}

fn is_within(time: SignedDuration, since: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(since);
    !age.is_negative() && age < time
}
