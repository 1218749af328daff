//! Which keys sign a message: those of its author's domain, else of the nearest domain above it that has any.
//!
//! A domain that has no key of its own is signed for by a parent (RFC 6376 section 3.5 leaves the choice to the signer; DMARC takes either,
//! RFC 7489 section 3.1.1). Keys are asked for at every message, and remembered for as long as the store says that nothing has changed: so an
//! activation acts at the next message, and a domain without keys costs a look into a map, where the store can tell that without a query. A key that does not open is never passed over.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use esmtp::dialogue::{Enhanced, Reply};
use message::HeaderError;
use message::dkim::{AuthorDomains, SigningKey, author_domains};
use store::{DkimKey, Revision};
use types::{DkimKeyName, QueueId, Secret};

use crate::told_lately::ToldLately;

/// The most domains that are remembered: whoever may send in any name makes up as many as he likes.
const REMEMBERED: usize = 10_000;

/// What a source answers, once it does.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Any fault of a source.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// Where the keys are, and what opens them.
pub trait KeySource: fmt::Debug + Send + Sync + 'static {
    /// The revision of the keys, if it can be told without a query.
    fn revision(&self) -> Answer<'_, Option<Revision>>;

    /// Whether any key signs.
    fn any_active(&self) -> Answer<'_, Result<bool, SourceError>>;

    /// The keys that sign for these domains (A-labels in lower case).
    fn active<'a>(&'a self, domains: &'a [&'a str]) -> Answer<'a, Result<Vec<DkimKey>, SourceError>>;

    /// Opens the private key, which is PKCS #8 (RFC 5958).
    ///
    /// # Errors
    /// When it does not open.
    fn open(&self, key: &DkimKey) -> Result<Secret, SourceError>;

    /// Enters into the audit trail that this key did not open, soon.
    fn note_unopened(&self, key: &DkimKeyName, error: &SourceError);
}

/// What signs mail as it leaves.
#[derive(Debug)]
pub struct Signing {
    source: Option<Box<dyn KeySource>>,
    is_on: AtomicBool,
    known: Mutex<Known>,
    told_lately: ToldLately,
}

/// What was read at one revision of the store.
#[derive(Debug, Default)]
struct Known {
    revision: Option<Revision>,
    any: Option<bool>,
    /// The keys that sign for authors of a domain, which may be those of a parent, or none.
    of_authors: HashMap<String, Keys>,
}

/// Keys that sign together: of one domain, one for each algorithm.
pub(crate) type Keys = Arc<[SigningKey]>;

/// Why a message that is to be signed has to wait.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unsigned {
    /// It is not known who signs.
    #[error("the DKIM keys can't be read")]
    Unreadable(#[source] SourceError),
    /// It is not known who its authors are: it was accepted, so it could be read then.
    #[error("its header section can't be read: {0}")]
    Section(#[from] HeaderError),
    /// A key that should sign is no use.
    #[error("the DKIM key {0} can't be opened")]
    Unopened(DkimKeyName, #[source] SourceError),
    /// A key did not sign.
    #[error(transparent)]
    NotSigned(#[from] message::dkim::NotSigned),
}

impl Signing {
    /// Signs with the keys of this source, while it `is_on`.
    #[must_use]
    pub fn new(source: Box<dyn KeySource>, is_on: bool) -> Self {
        Self { source: Some(source), is_on: is_on.into(), ..Self::none() }
    }

    /// Signs nothing.
    #[must_use]
    pub fn none() -> Self {
        Self {
            source: None,
            is_on: false.into(),
            known: Mutex::default(),
            told_lately: ToldLately::default(),
        }
    }

    /// Signs from now on, or no longer.
    pub fn switch(&self, on: bool) {
        self.is_on.store(on, Ordering::Release);
    }

    /// Whether there is anything to sign with, whoever the author is.
    pub(crate) async fn has_keys(&self) -> Result<bool, Unsigned> {
        let Some(source) = self.source() else { return Ok(false) };
        let revision = source.revision().await;
        if let Some(any) = self.known_at(revision).and_then(|known| known.any) {
            return Ok(any);
        }
        let any = source.any_active().await.map_err(Unsigned::Unreadable)?;
        if let Some(mut known) = self.knowing(revision) {
            known.any = Some(any);
        }
        Ok(any)
    }

    /// The keys that sign the message with this header section: those of its first author whose domain, or a domain above it, has any. Often
    /// there are none.
    pub(crate) async fn keys_for(&self, section: &[u8], id: QueueId) -> Result<Keys, Unsigned> {
        let Some(source) = self.source() else { return Ok(Keys::default()) };
        match author_domains(section)? {
            AuthorDomains::Known(domains) => self.keys_of(source, &domains).await,
            AuthorDomains::NoDomain => Ok(Keys::default()),
            AuthorDomains::Unclear => {
                self.tell_unclear(id);
                Ok(Keys::default())
            }
        }
    }

    /// The keys of the first of these domains that has any, asked for in one question.
    async fn keys_of(&self, source: &dyn KeySource, domains: &[String]) -> Result<Keys, Unsigned> {
        let revision = source.revision().await;
        if let Some(keys) = self.remembered(revision, domains) {
            return Ok(keys);
        }
        let candidates: Vec<&str> = domains.iter().flat_map(|domain| itself_and_parents(domain)).collect();
        let found = source.active(&candidates).await.map_err(Unsigned::Unreadable)?;
        for domain in domains {
            let keys: Keys =
                nearest(&found, domain).map(|key| opened(source, key)).collect::<Result<_, _>>()?;
            if let Some(mut known) = self.knowing(revision) {
                known.of_authors.insert(domain.clone(), keys.clone());
            }
            if !keys.is_empty() {
                return Ok(keys);
            }
        }
        Ok(Keys::default())
    }

    /// The keys of the first of these domains that has any, if that was read at this revision.
    fn remembered(&self, revision: Option<Revision>, domains: &[String]) -> Option<Keys> {
        let known = self.known_at(revision)?;
        for domain in domains {
            let keys = known.of_authors.get(domain)?;
            if !keys.is_empty() {
                return Some(keys.clone());
            }
        }
        Some(Keys::default())
    }

    /// Tells the log why this message waits, and of a key that does not open the audit trail, too: the same once a minute, however many
    /// messages wait for it.
    pub(crate) fn tell(&self, unsigned: &Unsigned, id: QueueId) {
        if !self.told_lately.is_due(&unsigned.to_string()) {
            return;
        }
        let error: &dyn std::error::Error = unsigned;
        let key = unsigned.key().map(tracing::field::display);
        tracing::error!(event = "dkim.unsigned", queue.id = %id, dkim.key = key, error, "mail that has to be signed waits");
        if let (Unsigned::Unopened(key, error), Some(source)) = (unsigned, &self.source) {
            source.note_unopened(key, error);
        }
    }

    fn tell_unclear(&self, id: QueueId) {
        if self.told_lately.is_due("From") {
            tracing::warn!(event = "dkim.no-author", queue.id = %id, "mail leaves unsigned: its From field has no address, so nobody's key is known to sign it");
        }
    }

    fn source(&self) -> Option<&dyn KeySource> {
        self.source.as_deref().filter(|_| self.is_on.load(Ordering::Acquire))
    }

    /// What was read at this very revision.
    fn known_at(&self, revision: Option<Revision>) -> Option<MutexGuard<'_, Known>> {
        revision?;
        Some(self.known()).filter(|known| known.revision == revision)
    }

    /// What is known at this revision, to have more added. Had the store changed since it was told, it would be an old one, and nobody asks
    /// for those.
    fn knowing(&self, revision: Option<Revision>) -> Option<MutexGuard<'_, Known>> {
        revision?;
        let mut known = self.known();
        if known.revision != revision || known.of_authors.len() >= REMEMBERED {
            *known = Known { revision, ..Known::default() };
        }
        Some(known)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Unsigned {
    /// The key that is no use, if it is one key.
    fn key(&self) -> Option<&DkimKeyName> {
        match self {
            Unsigned::Unopened(key, _) => Some(key),
            Unsigned::NotSigned(not_signed) => Some(&not_signed.key),
            Unsigned::Unreadable(_) | Unsigned::Section(_) => None,
        }
    }

    /// RFC 3463 section 3.4: a fault of ours, which an operator can put right.
    pub(crate) fn to_reply(&self) -> Reply {
        Reply::ours(451, Enhanced(4, 3, 0), format!("the message waits to be signed: {self}"))
    }
}

fn opened(source: &dyn KeySource, key: &DkimKey) -> Result<SigningKey, Unsigned> {
    let unopened = |error| Unsigned::Unopened(key.name.clone(), error);
    let private = source.open(key).map_err(unopened)?;
    SigningKey::new(key.name.clone(), key.algorithm, &private).map_err(|error| unopened(error.into()))
}

/// Those of these keys that sign for this domain: its own, else those of the nearest domain above it.
fn nearest<'k>(keys: &'k [DkimKey], domain: &str) -> impl Iterator<Item = &'k DkimKey> {
    let has_keys = |domain: &&str| keys.iter().any(|key| key.name.domain() == *domain);
    let nearest = itself_and_parents(domain).find(has_keys).map(str::to_owned);
    keys.iter().filter(move |key| Some(key.name.domain()) == nearest.as_deref())
}

/// A domain, and all above it.
fn itself_and_parents(domain: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(domain), |domain| domain.split_once('.').map(|(_, parent)| parent))
}

#[cfg(test)]
mod tests;
