//! Sealed secrets: what is stored encrypted under the master key, wherever it lies.

use std::future::Future;

use jiff::Timestamp;
use types::{AccountId, CredentialId, DkimKeyId, WebhookId};

use crate::{ChallengeKind, Error};

/// Which sealed secret: its place in the store, and all that is sealed along with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SealedPlace {
    /// The server's own key, from which digests are keyed.
    RootKey,
    /// The seed of an account's second factor.
    TotpSeed {
        /// Whose.
        account: AccountId,
        /// When it was made.
        enrolled_at: Timestamp,
    },
    /// What stands in for a password where a challenge is answered.
    ChallengeKey {
        /// Whose.
        account: AccountId,
        /// What it is for.
        kind: ChallengeKind,
        /// The app password that it was made of, or `None` for the account password.
        credential: Option<CredentialId>,
        /// When it was made.
        made_at: Timestamp,
    },
    /// The private key of a domain that signs its mail.
    DkimKey {
        /// Which.
        key: DkimKeyId,
        /// When it was made.
        made_at: Timestamp,
    },
    /// The secret that a webhook's deliveries are signed with.
    Webhook {
        /// Whose.
        webhook: WebhookId,
        /// When it was made.
        made_at: Timestamp,
    },
}

/// Which master key. Two key files may have different keys under one number: a digest of the key tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MasterKeyId {
    /// The number that it has in its key file.
    pub number: u32,
    /// The digest of it, which tells nothing about it.
    pub digest: [u8; 8],
}

/// The sealed secrets, for whoever opens them or seals them anew.
pub trait SealedSecrets: Send + Sync + 'static {
    /// The server's own key, sealed; `None` before the first start.
    fn root_key(&self) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;

    /// Keeps the server's own key, sealed, unless there is one already.
    fn keep_root_key(&self, sealed: &[u8]) -> impl Future<Output = Result<(), Error>> + Send;

    /// Whether there is any app password: then its digest is keyed already.
    fn any_app_password(&self) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Up to `at_most` sealed secrets behind the place `after`, in the order of their places.
    fn sealed(
        &self,
        after: Option<SealedPlace>,
        at_most: u32,
    ) -> impl Future<Output = Result<Vec<(SealedPlace, Vec<u8>)>, Error>> + Send;

    /// Puts `new` in the place of `old`, each where it still is as it was, in one transaction; says how many.
    fn reseal(&self, secrets: &[Resealed]) -> impl Future<Output = Result<u64, Error>> + Send;
}

/// A secret that was sealed anew.
#[derive(Debug, Clone)]
pub struct Resealed {
    /// Where it lies.
    pub place: SealedPlace,
    /// As it was.
    pub old: Vec<u8>,
    /// As it is to be.
    pub new: Vec<u8>,
}
