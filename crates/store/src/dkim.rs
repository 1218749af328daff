//! DKIM keys: what signs the mail of a domain (RFC 6376).

use std::future::Future;

use jiff::Timestamp;
use types::{DkimAlgorithm, DkimKeyId, DkimKeyName};

use crate::{Act, Error, Page, SealedPlace};

/// A key that signs mail, or did, or will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKey {
    /// What tells it from other keys where the name is not at hand; sealed along.
    pub id: DkimKeyId,
    /// Its domain and its selector, which no other key has; sealed along, and so are algorithm and public key.
    pub name: DkimKeyName,
    /// What it signs with.
    pub algorithm: DkimAlgorithm,
    /// When it was made, which is sealed along.
    pub created_at: Timestamp,
    /// Since when it signs, or when it last began to.
    pub activated_at: Option<Timestamp>,
    /// When it ceased to sign, unless it has begun anew.
    pub retired_at: Option<Timestamp>,
    /// What its record publishes: a `SubjectPublicKeyInfo` of RSA (RFC 6376 section 3.6.1), or the 32 octets of Ed25519 (RFC 8463 section 4).
    pub public_key: Vec<u8>,
    /// The private key as PKCS #8 (RFC 5958), sealed; empty if it was wiped.
    pub sealed: Vec<u8>,
}

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DkimKeyState {
    /// It does not sign yet: its record has to be published first.
    Staged,
    /// It signs.
    Active,
    /// It signs no longer. What it has signed may still be on its way to a verifier.
    Retired,
}

impl DkimKeyState {
    /// The state as it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            DkimKeyState::Staged => "staged",
            DkimKeyState::Active => "active",
            DkimKeyState::Retired => "retired",
        }
    }
}

impl DkimKey {
    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> DkimKeyState {
        match (self.activated_at, self.retired_at) {
            (_, Some(_)) => DkimKeyState::Retired,
            (Some(_), None) => DkimKeyState::Active,
            (None, None) => DkimKeyState::Staged,
        }
    }

    /// Where its private key lies, as a secret that is sealed for its place.
    #[must_use]
    pub fn place(&self) -> SealedPlace {
        SealedPlace::DkimKey { key: self.id, made_at: self.created_at }
    }
}

/// The DKIM keys. Every change goes into the audit trail in the same transaction, under the name of the key.
pub trait DkimKeys: Send + Sync + 'static {
    /// Adds a key, which does not sign yet; [`Error::AlreadyExists`] if one has its name.
    fn add_dkim_key(&self, key: &DkimKey, act: &Act) -> impl Future<Output = Result<(), Error>> + Send;

    /// The key of this name.
    fn dkim_key(&self, name: &DkimKeyName) -> impl Future<Output = Result<Option<DkimKey>, Error>> + Send;

    /// A page of the keys of this domain (A-labels in lower case), or of all, by their domains and selectors.
    fn dkim_keys(
        &self,
        domain: Option<&str>,
        page: Page<DkimKeyName>,
    ) -> impl Future<Output = Result<Vec<DkimKey>, Error>> + Send;

    /// Whether any key signs.
    fn any_active_dkim_key(&self) -> impl Future<Output = Result<bool, Error>> + Send;

    /// The keys that sign for these domains (A-labels in lower case), by their domains and selectors: of each domain one for each algorithm
    /// at most.
    fn active_dkim_keys(&self, domains: &[&str]) -> impl Future<Output = Result<Vec<DkimKey>, Error>> + Send;

    /// Has a key sign from now on, in the place of the one of its domain and algorithm that does: that one is retired, and told. A key that
    /// signs already goes on, and nothing is changed. [`Error::NotFound`] without such a key.
    fn activate_dkim_key(
        &self,
        name: &DkimKeyName,
        act: &Act,
    ) -> impl Future<Output = Result<Option<DkimKeyName>, Error>> + Send;

    /// Has a key sign no longer; `false` if it is retired already. [`Error::NotFound`] without such a key.
    fn retire_dkim_key(
        &self,
        name: &DkimKeyName,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Wipes the private key of a retired key for good; what its record says is kept, so that its selector is not used again. `false` if it is
    /// wiped already, or not retired. [`Error::NotFound`] without such a key.
    fn wipe_dkim_key(
        &self,
        name: &DkimKeyName,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;
}
