//! The judge: an app password is tried first, then the account password; both by one path, so that every
//! refusal costs the same.
//!
//! - A right app password costs one look-up by its digest, and no Argon2.
//! - A right account password costs Argon2 once, then nothing for a few minutes.
//! - Anything else costs exactly one run of Argon2, whatever is wrong with it, and is answered alike.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use sasl::{AuthHandler, Authenticated, Claim, Mechanism, PasswordClaim, Verdict};
use store::{Account, Accounts, AppPassword, AppPasswords, LastUse, Scope, network_of};
use types::{AccountId, CredentialId, Mailbox, Secret, SessionFacts};

use crate::app_password::normalise;
use crate::recent::Recent;
use crate::standing::Standing;
use crate::{AppPasswordKey, Checked, HashError, Hasher, Keyring};

/// Who logged in, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Whose account.
    pub account: AccountId,
    /// The address of the account at that time.
    pub address: Mailbox,
    /// The app password, or `None` for the account password.
    pub credential: Option<CredentialId>,
    /// The version of the account at that time.
    pub version: i64,
}

/// What was proved at a log-in. The version stands for the address that the account had.
type Login = (AccountId, Option<CredentialId>, i64);

impl User {
    fn new(account: Account, credential: Option<CredentialId>) -> Self {
        Self { account: account.id, address: account.address, credential, version: account.version }
    }

    fn login(&self) -> Login {
        (self.account, self.credential, self.version)
    }
}

/// Judges claims by what the store knows.
pub struct Authenticator<S> {
    store: Arc<S>,
    digests: AppPasswordKey,
    hasher: Arc<Hasher>,
    recent: Recent,
    /// The rows of app passwords, by their digest.
    found: Standing<[u8; 32], Arc<(AppPassword, Account)>>,
    /// Who was found to stand, and until when.
    standing: Standing<Login, Option<Timestamp>>,
    now: fn() -> Timestamp,
}

impl<S> std::fmt::Debug for Authenticator<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("hasher", &self.hasher).finish_non_exhaustive()
    }
}

impl<S: Accounts + AppPasswords> AuthHandler for Authenticator<S> {
    type User = User;

    async fn judge(&self, claim: Claim, session: &SessionFacts) -> Verdict<User> {
        match claim {
            Claim::Password(claim) => self.judge_password(claim, session).await,
        }
    }
}

/// Who was proved right.
struct Proved {
    user: User,
    /// When that ends by itself.
    until: Option<Timestamp>,
}

/// Why a claim was not accepted.
#[derive(Debug, thiserror::Error)]
enum Denial {
    #[error("{}", .0.code())]
    Refused(Reason),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What was wrong with a claim: for the log. The client never learns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    NotAnAddress,
    ForeignIdentity,
    UnknownUser,
    Disabled,
    NoPassword,
    WrongPassword,
    AppPasswordOfAnother,
    AppPasswordExpired,
    AppPasswordScope,
    AppPasswordNetwork,
}

impl Reason {
    /// The reason as logs have it.
    fn code(self) -> &'static str {
        match self {
            Reason::NotAnAddress => "not-an-address",
            Reason::ForeignIdentity => "foreign-identity",
            Reason::UnknownUser => "unknown-user",
            Reason::Disabled => "disabled",
            Reason::NoPassword => "no-password",
            Reason::WrongPassword => "bad-password",
            Reason::AppPasswordOfAnother => "app-password-of-another",
            Reason::AppPasswordExpired => "expired",
            Reason::AppPasswordScope => "wrong-scope",
            Reason::AppPasswordNetwork => "network-not-allowed",
        }
    }
}

impl<S: Accounts + AppPasswords> Authenticator<S> {
    /// `now` reads the clock.
    pub fn new(store: Arc<S>, keyring: &Keyring, hasher: Arc<Hasher>, now: fn() -> Timestamp) -> Self {
        let (digests, recent) = (keyring.app_passwords(), Recent::new());
        Self { store, digests, hasher, recent, found: Standing::new(), standing: Standing::new(), now }
    }

    /// Whether what was proved at the log-in still holds: neither the credential was revoked or has expired, nor
    /// the account disabled, renamed, removed or given another password.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn still_holds(&self, user: &User) -> Result<bool, store::Error> {
        let revision = self.store.revision();
        if let Some(until) = self.standing.at(revision, &user.login()) {
            return Ok(until.is_none_or(|end| (self.now)() < end));
        }
        let Some(until) = self.holds_until(user).await? else { return Ok(false) };
        self.standing.remember(revision, user.login(), until);
        Ok(true)
    }

    /// When what was proved will expire, if it ever does; or `None` if it does not hold.
    async fn holds_until(&self, user: &User) -> Result<Option<Option<Timestamp>>, store::Error> {
        let Some(credential) = user.credential else {
            let account = self.store.by_id(user.account).await?;
            let holds = account.is_some_and(|account| !account.disabled && account.version == user.version);
            return Ok(holds.then_some(None));
        };
        let found = self.store.by_credential(credential).await?;
        let holds = found.filter(|(password, account)| {
            !account.disabled && account.address == user.address && !has_expired(password, (self.now)())
        });
        Ok(holds.map(|(password, _)| password.expires_at))
    }

    async fn judge_password(&self, claim: PasswordClaim, session: &SessionFacts) -> Verdict<User> {
        let (username, mechanism) = (claim.username.clone(), claim.mechanism);
        let revision = self.store.revision();
        match self.prove(claim, session).await {
            Ok(Proved { user, until }) => {
                self.standing.remember(revision, user.login(), until);
                self.note(&user, mechanism, session);
                Verdict::Accepted(Authenticated::new(user.address.normal(), user))
            }
            Err(Denial::Refused(reason)) => {
                let (session, ip, reason) = (session.id, session.peer.ip(), reason.code());
                tracing::info!(event = "auth.refused", %session, %ip, mechanism = mechanism.name(), username, reason, "login refused");
                Verdict::Refused
            }
            Err(fault @ (Denial::Hash(_) | Denial::Store(_))) => {
                let error: &dyn std::error::Error = &fault;
                tracing::error!(event = "auth.unavailable", session = %session.id, error, "a login could not be judged");
                Verdict::Unavailable
            }
        }
    }

    async fn prove(&self, claim: PasswordClaim, session: &SessionFacts) -> Result<Proved, Denial> {
        let name = match claimed_name(&claim) {
            Ok(name) => name,
            Err(reason) => return self.refuse(claim.password, reason).await,
        };
        match self.by_app_password(&name, &claim.password, session).await? {
            Ok(proved) => Ok(proved),
            Err(flaw) => self.by_account_password(&name, claim.password, flaw).await,
        }
    }

    /// The user whose app password it is, or else what is wrong with that app password, if it is one at all.
    async fn by_app_password(
        &self,
        name: &Mailbox,
        password: &Secret,
        session: &SessionFacts,
    ) -> Result<Result<Proved, Option<Reason>>, Denial> {
        let Some(letters) = normalise(password) else { return Ok(Err(None)) };
        let Some(found) = self.find(self.digests.digest(&letters)).await? else { return Ok(Err(None)) };
        let (password, account) = &*found;
        Ok(match flaw(password, account, name, session.peer.ip(), (self.now)()) {
            Some(flaw) => Err(Some(flaw)),
            None => {
                Ok(Proved { user: User::new(account.clone(), Some(password.id)), until: password.expires_at })
            }
        })
    }

    /// The app password with this digest, and its account.
    async fn find(&self, digest: [u8; 32]) -> Result<Option<Arc<(AppPassword, Account)>>, store::Error> {
        let revision = self.store.revision();
        if let Some(found) = self.found.at(revision, &digest) {
            return Ok(Some(found));
        }
        let found = self.store.by_digest(&digest).await?.map(Arc::new);
        if let Some(found) = &found {
            self.found.remember(revision, digest, Arc::clone(found));
        }
        Ok(found)
    }

    async fn by_account_password(
        &self,
        name: &Mailbox,
        password: Secret,
        flaw: Option<Reason>,
    ) -> Result<Proved, Denial> {
        let (account, hash) = match with_password(self.store.by_address(name).await?) {
            Ok(found) => found,
            Err(reason) => return self.refuse(password, flaw.unwrap_or(reason)).await,
        };
        let digest = self.recent.digest(&account, &password);
        if self.recent.knows(&digest, (self.now)()) {
            return Ok(Proved { user: User::new(account, None), until: None });
        }
        if self.hasher.verify(password, Some(&hash)).await? == Checked::No {
            return Err(Denial::Refused(flaw.unwrap_or(Reason::WrongPassword)));
        }
        self.recent.remember(digest, (self.now)());
        Ok(Proved { user: User::new(account, None), until: None })
    }

    /// Refuses at the cost of a wrong password.
    async fn refuse(&self, password: Secret, reason: Reason) -> Result<Proved, Denial> {
        self.hasher.verify(password, None).await?;
        Err(Denial::Refused(reason))
    }

    fn note(&self, user: &User, mechanism: Mechanism, session: &SessionFacts) {
        let (at, ip) = ((self.now)(), session.peer.ip().to_canonical());
        if let Some(credential) = user.credential {
            self.store.used(credential, LastUse { at, ip, mechanism: mechanism.name().to_owned() });
        }
        self.store.logged_in(user.account, at, Some(network_of(ip)));
    }
}

/// Whom the client claims to be. It may say so twice, but not act for another (RFC 4616 section 2).
fn claimed_name(claim: &PasswordClaim) -> Result<Mailbox, Reason> {
    let name = Mailbox::parse(&claim.username).map_err(|_| Reason::NotAnAddress)?;
    let acts_for = claim.authzid.as_deref().map(Mailbox::parse).transpose();
    match acts_for {
        Ok(None) => Ok(name),
        Ok(Some(other)) if other.normal() == name.normal() => Ok(name),
        Ok(Some(_)) | Err(_) => Err(Reason::ForeignIdentity),
    }
}

/// Why an app password is not good for this log-in.
fn flaw(
    password: &AppPassword,
    account: &Account,
    name: &Mailbox,
    peer: IpAddr,
    now: Timestamp,
) -> Option<Reason> {
    let peer = peer.to_canonical();
    let elsewhere = !password.networks.is_empty() && !password.networks.iter().any(|net| net.contains(&peer));
    [
        (account.address.normal() != name.normal(), Reason::AppPasswordOfAnother),
        (account.disabled, Reason::Disabled),
        (has_expired(password, now), Reason::AppPasswordExpired),
        (!password.scopes.contains(&Scope::Smtp), Reason::AppPasswordScope),
        (elsewhere, Reason::AppPasswordNetwork),
    ]
    .into_iter()
    .find_map(|(wrong, reason)| wrong.then_some(reason))
}

fn has_expired(password: &AppPassword, now: Timestamp) -> bool {
    password.expires_at.is_some_and(|end| end <= now)
}

/// The account and the hash to check a password against, if it may log in by password.
fn with_password(account: Option<Account>) -> Result<(Account, String), Reason> {
    let mut account = account.ok_or(Reason::UnknownUser)?;
    if account.disabled {
        return Err(Reason::Disabled);
    }
    let hash = account.password_hash.take().ok_or(Reason::NoPassword)?;
    Ok((account, hash))
}

#[cfg(test)]
mod tests;
