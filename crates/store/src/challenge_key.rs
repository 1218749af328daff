//! Challenge keys: what an answer to a challenge is checked with, where the password itself never comes.

use std::fmt;
use std::future::Future;
use std::str::FromStr;

use jiff::Timestamp;
use types::{AccountId, CredentialId, Mailbox};

use crate::{Account, AppPassword, Error, SealedPlace};

/// What kind of challenge a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ChallengeKind {
    /// CRAM-MD5: the key is the app password itself.
    CramMd5,
    /// SCRAM-SHA-256: the key is StoredKey and ServerKey (RFC 5802 section 3).
    ScramSha256,
}

impl ChallengeKind {
    /// Every kind.
    pub const ALL: [ChallengeKind; 2] = [ChallengeKind::CramMd5, ChallengeKind::ScramSha256];

    /// The kind as it is stored.
    pub fn name(self) -> &'static str {
        match self {
            ChallengeKind::CramMd5 => "cram-md5",
            ChallengeKind::ScramSha256 => "scram-sha-256",
        }
    }
}

impl FromStr for ChallengeKind {
    type Err = UnknownChallengeKind;

    fn from_str(name: &str) -> Result<Self, UnknownChallengeKind> {
        ChallengeKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or(UnknownChallengeKind)
    }
}

/// A kind of challenge that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown kind of challenge")]
pub struct UnknownChallengeKind;

impl fmt::Display for ChallengeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A key, sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChallengeKey {
    /// What it is for.
    pub kind: ChallengeKind,
    /// Whose it is.
    pub account: AccountId,
    /// The app password that it was made of, or `None` for the account password.
    pub credential: Option<CredentialId>,
    /// When it was made, which is sealed along.
    pub made_at: Timestamp,
    /// The key itself.
    pub sealed: Vec<u8>,
}

impl ChallengeKey {
    /// What it is sealed for.
    #[must_use]
    pub fn place(&self) -> SealedPlace {
        let Self { kind, account, credential, made_at, .. } = *self;
        SealedPlace::ChallengeKey { account, kind, credential, made_at }
    }
}

/// An account with the keys that stand in for its passwords, each with its app password.
pub type Challenged = (Account, Vec<(ChallengeKey, Option<AppPassword>)>);

/// The challenge keys. They go with the password that they were made of: with an app password that is revoked, with an
/// account password that is changed or joined by a second factor. SCRAM keys are salted by the address, and go with that too.
pub trait ChallengeKeys: Send + Sync + 'static {
    /// Keeps a key in the place of an older one; `false`, and nothing kept, if the account has another version by now,
    /// or the app password is gone.
    fn keep_challenge_key(
        &self,
        key: &ChallengeKey,
        version: i64,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Whether there is such a key.
    fn has_challenge_key(
        &self,
        kind: ChallengeKind,
        account: AccountId,
        credential: Option<CredentialId>,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Of which of these app passwords there are keys of this kind, in the order of their ids.
    fn with_challenge_key(
        &self,
        kind: ChallengeKind,
        app_passwords: &[CredentialId],
    ) -> impl Future<Output = Result<Vec<CredentialId>, Error>> + Send;

    /// The account with this address and its keys of this kind, that of the account password first.
    fn challenged(
        &self,
        address: &Mailbox,
        kind: ChallengeKind,
    ) -> impl Future<Output = Result<Option<Challenged>, Error>> + Send;
}
