//! App passwords: what mail programs log in with.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use jiff::Timestamp;
use types::{AccountId, CredentialId, SenderPattern};

use crate::{Account, Act, ChallengeKey, Error, Page};

/// An app password, without the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPassword {
    /// What it is revoked by.
    pub id: CredentialId,
    /// Whose it is.
    pub account: AccountId,
    /// Where it is in use, in its owner's words.
    pub label: String,
    /// What it is good for.
    pub scopes: Vec<Scope>,
    /// Where it may be used from; everywhere if empty.
    pub networks: Vec<IpNet>,
    /// In whose names it may send; in all that its account may, if empty.
    pub senders: Vec<SenderPattern>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working, if ever.
    pub expires_at: Option<Timestamp>,
    /// When, where from and how it was last used.
    pub last_used: Option<LastUse>,
}

/// The place of an app password in the list of its account.
pub type AppPasswordPlace = (Timestamp, CredentialId);

impl AppPassword {
    /// Its place in the list of its account.
    #[must_use]
    pub fn place(&self) -> AppPasswordPlace {
        (self.created_at, self.id)
    }
}

/// An app password that is to be kept, with all that goes along.
#[derive(Debug, Clone)]
pub struct NewAppPassword {
    /// The app password.
    pub app_password: AppPassword,
    /// What finds it.
    pub digest: [u8; 32],
    /// What answers to challenges are checked with, made of this password.
    pub challenge_keys: Vec<ChallengeKey>,
    /// The version of its account that it was made for.
    pub version: i64,
}

/// What an app password is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Handing in mail.
    Smtp,
}

impl Scope {
    /// Every scope there is.
    pub const ALL: [Scope; 1] = [Scope::Smtp];

    /// The scope as it is written and stored.
    pub fn name(self) -> &'static str {
        match self {
            Scope::Smtp => "smtp",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(name: &str) -> Result<Self, UnknownScope> {
        Scope::ALL.into_iter().find(|scope| scope.name() == name).ok_or(UnknownScope)
    }
}

/// A scope that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope; there is smtp")]
pub struct UnknownScope;

/// When, where from and how a credential was last used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastUse {
    /// When.
    pub at: Timestamp,
    /// From where.
    pub ip: IpAddr,
    /// By which SASL mechanism.
    pub mechanism: String,
}

/// The app passwords. A password is known by its keyed digest alone; the store never sees the password. Every
/// change goes into the audit trail in the same transaction.
pub trait AppPasswords: Send + Sync + 'static {
    /// Adds an app password with its challenge keys, all of it or nothing; [`Error::TooMany`] if its account has `at_most`
    /// already, [`Error::Changed`] if the account has another version by now, [`Error::NotFound`] if there is no such account.
    fn create(
        &self,
        new: &NewAppPassword,
        at_most: u32,
        act: &Act,
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// The app password with this digest and its account: one indexed look-up, however many there are. Whether
    /// it has expired, or its account is disabled, is for the caller to see.
    fn by_digest(
        &self,
        digest: &[u8; 32],
    ) -> impl Future<Output = Result<Option<(AppPassword, Account)>, Error>> + Send;

    /// A page of the app passwords of an account, oldest first.
    fn of_account(
        &self,
        account: AccountId,
        page: Page<AppPasswordPlace>,
    ) -> impl Future<Output = Result<Vec<AppPassword>, Error>> + Send;

    /// How many app passwords each of these accounts has; those that have none are left out. A few hundred at a time.
    fn app_password_counts(
        &self,
        accounts: &[AccountId],
    ) -> impl Future<Output = Result<Vec<(AccountId, u64)>, Error>> + Send;

    /// Gives an app password of this account another label; `false` if it has no such app password.
    fn relabel(
        &self,
        account: AccountId,
        id: CredentialId,
        label: &str,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Revokes an app password of this account; `false` if it has no such app password. Its digest is known from now on as
    /// that of a revoked one, see [`AppPasswords::revoked`].
    fn revoke(
        &self,
        account: AccountId,
        id: CredentialId,
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// The id of the revoked app password with this digest, as long as its account is there and it was not forgotten.
    fn revoked(&self, digest: &[u8; 32]) -> impl Future<Output = Result<Option<CredentialId>, Error>> + Send;

    /// What the owner of this account called the app passwords that were revoked, as long as that is known.
    fn revoked_labels(
        &self,
        account: AccountId,
    ) -> impl Future<Output = Result<Vec<(CredentialId, String)>, Error>> + Send;

    /// Forgets app passwords that were revoked before then; how many.
    fn prune_revoked(&self, before: Timestamp) -> impl Future<Output = Result<u64, Error>> + Send;

    /// The app passwords brought from another server that this selector finds, each with the hash that was brought: one
    /// indexed look-up.
    fn imported(
        &self,
        selector: &[u8; 32],
    ) -> impl Future<Output = Result<Vec<(String, AppPassword, Account)>, Error>> + Send;

    /// The hashes of up to `at_most` app passwords brought from another server, behind this one, in the order of their ids; each
    /// with how many there are that its selector finds.
    fn imported_hashes(
        &self,
        after: Option<CredentialId>,
        at_most: u32,
    ) -> impl Future<Output = Result<Vec<(CredentialId, String, u32)>, Error>> + Send;

    /// Makes an app password of another server one of ours: from now on its digest finds it. `false` if it is one
    /// already, or another has this digest.
    fn adopt(
        &self,
        id: CredentialId,
        digest: &[u8; 32],
        act: &Act,
    ) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Notes a use. Written soon, together with others: logging in never waits for it.
    fn used(&self, id: CredentialId, last_use: LastUse);
}
