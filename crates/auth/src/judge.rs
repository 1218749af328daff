//! The judge: an app password is tried first, then the account password; both by one path, so that every
//! refusal costs the same.
//!
//! - A right app password costs one look-up by its digest, and no Argon2. Nothing that others do gets in its way.
//! - The account password is judged only as long as the throttles let it. Each attempt counts as failed until it is
//!   proved right, so that a thousand at a time learn no more than a thousand in a row.
//! - A right account password costs Argon2 once, then nothing for a few minutes.
//! - Anything else costs exactly one run of Argon2, whatever is wrong with it, and is answered alike, not before a
//!   time by which every kind of check has ended.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use sasl::{AuthHandler, Authenticated, Claim, Verdict};
use store::{
    Account, Accounts, AppPassword, AppPasswords, Audit, Identities, LastUse, SecondFactors, Throttled,
    Throttles,
};
use tokio::time::Instant;
use types::{Mailbox, Secret, SessionFacts};

use crate::app_password::normalise;
use crate::at_revision::AtRevision;
use crate::attempt::{Attempt, Door, Origin};
use crate::gate::Gate;
use crate::hasher::Checked;
use crate::outcome::{Fault, Matched, Outcome, Reason, Refusal, User};
use crate::recent::Recent;
use crate::second_factor::{self, SecondFactorOutcome};
use crate::standing::{Standing, Standings, has_passed};
use crate::trail::Trail;
use crate::turns::Turns;
use crate::{AppPasswordKey, HashError, Hasher, Keyring, MarkKey, Policy};

/// A refusal is answered so long after its claim, or a multiple of that: it is longer than it takes to check the slowest
/// hash that others are wont to leave us (bcrypt of cost 12: 280 ms) and to run Argon2 behind it. Whether an account was
/// brought from elsewhere can't be measured then.
const REFUSAL: Duration = Duration::from_millis(400);

/// A store with all that logging in needs.
pub trait CredentialStore: Accounts + AppPasswords + Identities + SecondFactors + Throttles + Audit {}

impl<S: Accounts + AppPasswords + Identities + SecondFactors + Throttles + Audit> CredentialStore for S {}

/// Judges claims by what the store knows.
pub struct Authenticator<S> {
    store: Arc<S>,
    keyring: Arc<Keyring>,
    digests: AppPasswordKey,
    marks: MarkKey,
    hasher: Arc<Hasher>,
    policy: ArcSwap<Policy>,
    recent: Recent,
    /// The rows of app passwords, by their digest.
    found: AtRevision<[u8; 32], Arc<(AppPassword, Account)>>,
    standings: Standings,
    turns: Turns,
    /// [`REFUSAL`], but for tests.
    refusal: Duration,
    now: fn() -> Timestamp,
}

impl<S> std::fmt::Debug for Authenticator<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authenticator").field("hasher", &self.hasher).finish_non_exhaustive()
    }
}

impl<S: CredentialStore> AuthHandler for Authenticator<S> {
    type User = User;

    async fn judge(&self, claim: Claim, session: &SessionFacts) -> Verdict<User> {
        let origin = Origin::of(session, claim.mechanism());
        match claim {
            Claim::Password(claim) => self.verdict(self.examine(Attempt::from(claim), &origin).await),
            Claim::CramMd5(_) | Claim::Scram(_) | Claim::Token(_) | Claim::External(_) => {
                Verdict::Unavailable
            }
        }
    }

    async fn still_holds(&self, user: &User, _session: &SessionFacts) -> bool {
        self.standing(user).await.map_or(true, |standing| standing.is_some())
    }
}

/// Why an attempt did not succeed.
enum Denial {
    Refused(Refusal),
    Throttled(Throttled),
    Unavailable(Fault),
}

impl<F: Into<Fault>> From<F> for Denial {
    fn from(fault: F) -> Self {
        Denial::Unavailable(fault.into())
    }
}

impl<S: CredentialStore> Authenticator<S> {
    /// `now` reads the clock.
    pub fn new(
        store: Arc<S>,
        keyring: Arc<Keyring>,
        hasher: Arc<Hasher>,
        policy: Policy,
        now: fn() -> Timestamp,
    ) -> Self {
        Self {
            store,
            digests: keyring.app_passwords(),
            marks: keyring.marks(),
            keyring,
            hasher,
            policy: ArcSwap::from_pointee(policy),
            recent: Recent::new(),
            found: AtRevision::new(),
            standings: Standings::new(),
            turns: Turns::default(),
            refusal: REFUSAL,
            now,
        }
    }

    /// Attempts are judged by this policy from now on.
    pub fn replace(&self, policy: Policy) {
        self.policy.store(Arc::new(policy));
    }

    /// Judges an attempt, with all that belongs to it: throttles, log and audit trail. What came of it is more than a
    /// client may know.
    pub async fn examine(&self, attempt: Attempt, origin: &Origin) -> Outcome {
        let begun = Instant::now();
        let trail = Trail::of(&attempt, origin);
        let outcome = match self.prove(attempt, origin).await {
            Ok(user) => Outcome::Accepted(user),
            Err(Denial::Refused(refusal)) => Outcome::Refused(refusal),
            Err(Denial::Throttled(throttled)) => Outcome::Throttled(throttled),
            Err(Denial::Unavailable(fault)) => Outcome::Unavailable(fault),
        };
        trail.log(&outcome);
        self.store.note(trail.event(&outcome, (self.now)()));
        match &outcome {
            Outcome::Accepted(user) => self.note(user, origin),
            Outcome::Refused(_) => {
                tokio::time::sleep_until(begun + rounded_up(begun.elapsed(), self.refusal)).await;
            }
            Outcome::Throttled(_) | Outcome::Unavailable(_) => {}
        }
        outcome
    }

    /// What the user may do now; `None` if what was proved at the login holds no longer: the credential was revoked or
    /// has expired, or the account was disabled, renamed, removed or given another password.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn standing(&self, user: &User) -> Result<Option<Arc<Standing>>, store::Error> {
        self.standings.of(user, &*self.store, (self.now)()).await
    }

    /// What the client is told of an outcome.
    fn verdict(&self, outcome: Outcome) -> Verdict<User> {
        match outcome {
            Outcome::Accepted(user) => Verdict::Accepted(Authenticated::new(user.address.normal(), user)),
            Outcome::Refused(Refusal { reason: Reason::NeedsAppPassword, .. })
                if self.policy.load().hint_app_password =>
            {
                Verdict::NeedsAppPassword
            }
            Outcome::Refused(_) => Verdict::Refused(sasl::Refusal::default()),
            Outcome::Throttled(Throttled { until, .. }) => {
                let wait = until.duration_since((self.now)()).unsigned_abs();
                Verdict::Throttled { retry_after: wait.max(Duration::from_secs(1)) }
            }
            Outcome::Unavailable(_) => Verdict::Unavailable,
        }
    }

    async fn prove(&self, attempt: Attempt, origin: &Origin) -> Result<User, Denial> {
        let name = claimed_name(&attempt);
        let by_app_password = match &name {
            Ok(name) => self.by_app_password(name, &attempt, origin).await?,
            Err(_) => Err(None),
        };
        match by_app_password {
            Ok(user) => Ok(user),
            Err(flaw) => self.by_account_password(name, attempt, origin, flaw).await,
        }
    }

    /// The user whose app password it is, or else what is wrong with that app password, if it is one at all.
    async fn by_app_password(
        &self,
        name: &Mailbox,
        attempt: &Attempt,
        origin: &Origin,
    ) -> Result<Result<User, Option<Refusal>>, Denial> {
        let Some(letters) = normalise(&attempt.password) else { return Ok(Err(None)) };
        let Some(found) = self.find(self.digests.digest(&letters)).await? else { return Ok(Err(None)) };
        let (app_password, account) = &*found;
        let matched = Some(Matched::AppPassword(app_password.id));
        Ok(match flaw(app_password, account, name, attempt.door, origin.ip, (self.now)()) {
            Some(reason) => Err(Some(Refusal { reason, matched })),
            None => Ok(user(account, Some(app_password))),
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

    /// Judges the account password, as far as the gate lets it. `flaw` is what was wrong with it as an app password.
    async fn by_account_password(
        &self,
        name: Result<Mailbox, Reason>,
        attempt: Attempt,
        origin: &Origin,
        flaw: Option<Refusal>,
    ) -> Result<User, Denial> {
        let gate = self.gate(&name, &attempt, origin).await?;
        let_through(gate.look().await?)?;
        let account = self.look_up(&name).await?;
        if let Ok(account) = &account
            && self.recent.knows(account, &attempt.password, (self.now)())
        {
            return self.admit(account, attempt.door, attempt.code).await;
        }
        let _turn = self.turns.next(origin.network()).await.ok_or(HashError::Overloaded)?;
        // While this one waited, others of its network may have failed.
        let_through(gate.look().await?)?;
        let_through(gate.enter().await?)?;
        let flaw = match self.by_adoption(&account, &attempt, origin, flaw).await? {
            Ok(user) => return gate.right().await.map(|()| user).map_err(Denial::from),
            Err(flaw) => flaw,
        };
        let checked = self.check(account, &attempt.password, flaw).await;
        let account = settle(&gate, checked.and_then(|account| self.recognise(account, &attempt))).await?;
        self.admit(&account, attempt.door, attempt.code).await
    }

    async fn gate(
        &self,
        name: &Result<Mailbox, Reason>,
        attempt: &Attempt,
        origin: &Origin,
    ) -> Result<Gate<'_, S>, store::Error> {
        let policy = **self.policy.load();
        let account = name.as_ref().map_or_else(|_| attempt.username.clone(), Mailbox::normal);
        let mark = self.marks.mark(&account, &attempt.password);
        Gate::before(&*self.store, name.as_ref().ok(), origin.network(), mark, &policy, self.now).await
    }

    /// The account with this name, if anybody may log in to it.
    async fn look_up(&self, name: &Result<Mailbox, Reason>) -> Result<Result<Account, Reason>, store::Error> {
        let name = match name {
            Ok(name) => name,
            Err(reason) => return Ok(Err(*reason)),
        };
        let account = self.store.by_address(name).await?.ok_or(Reason::UnknownUser);
        Ok(account.and_then(|account| if account.disabled { Err(Reason::Disabled) } else { Ok(account) }))
    }

    /// The user whose app password it is, of those that were brought from another server and never used here; or else
    /// what is wrong with it, which is `flaw` where nobody can have one. Of several sessions that bring one at once one
    /// makes it ours, and the others find it so.
    async fn by_adoption(
        &self,
        account: &Result<Account, Reason>,
        attempt: &Attempt,
        origin: &Origin,
        flaw: Option<Refusal>,
    ) -> Result<Result<User, Option<Refusal>>, Denial> {
        let Ok(account) = account else { return Ok(Err(flaw)) };
        self.adopt(account, &attempt.password).await?;
        self.by_app_password(&account.address, attempt, origin).await
    }

    /// Makes such an app password one of ours, if it is one: the slow check of the other server runs once.
    async fn adopt(&self, account: &Account, password: &Secret) -> Result<(), Denial> {
        let Some(letters) = normalise(password) else { return Ok(()) };
        let selector = self.keyring.selector(account.id, letters.selector_elsewhere().as_bytes());
        for (hash, brought, _) in self.store.imported(&selector).await? {
            if self.hasher.was_made_elsewhere(letters.secret(), &hash).await? {
                self.store.adopt(brought.id, &self.digests.digest(&letters), (self.now)()).await?;
                break;
            }
        }
        Ok(())
    }

    /// Checks the password, at the cost of one run of Argon2 if it is wrong, whatever is wrong with it.
    async fn check(
        &self,
        account: Result<Account, Reason>,
        password: &Secret,
        flaw: Option<Refusal>,
    ) -> Result<Account, Denial> {
        let found = account.and_then(|mut account| match account.password_hash.take() {
            Some(hash) => Ok((account, hash)),
            None => Err(Reason::NoPassword),
        });
        let stored = found.as_ref().ok().map(|(_, hash)| hash.as_str());
        let checked = self.hasher.verify(password.clone(), stored).await?;
        let refused = |reason: Reason| Denial::Refused(flaw.unwrap_or(reason.into()));
        let (account, hash) = found.map_err(refused)?;
        match checked {
            Checked::No => return Err(refused(Reason::BadPassword)),
            Checked::Yes => {}
            Checked::YesButOutdated => self.hash_anew(&account, &hash, password).await,
        }
        Ok(account)
    }

    /// Remembers that the password was right; or, where nobody is to learn that and it opens nothing, refuses it as if
    /// it were wrong: were the counters cleared by it, that could be seen.
    fn recognise(&self, account: Account, attempt: &Attempt) -> Result<Account, Denial> {
        if account.totp && attempt.door == Door::Smtp && !self.policy.load().hint_app_password {
            return Err(not_enough(Reason::NeedsAppPassword));
        }
        self.recent.remember(&account, &attempt.password, (self.now)());
        Ok(account)
    }

    /// Puts a hash as we make them in the place of one that was brought from elsewhere, or made at another cost. That
    /// this fails is no reason to refuse a right password; the next login tries again.
    async fn hash_anew(&self, account: &Account, old: &str, password: &Secret) {
        let done: Result<(), Fault> = async {
            let new = self.hasher.hash(password.clone()).await?;
            self.store.rehash(account.id, old, &new, (self.now)()).await?;
            Ok(())
        }
        .await;
        if let Err(fault) = done {
            let error: &dyn std::error::Error = &fault;
            tracing::warn!(event = "auth.not-rehashed", account.address = %account.address, error, "an old password hash stays for now");
        }
    }

    /// Lets in who has the account password, as far as that goes.
    async fn admit(&self, account: &Account, door: Door, code: Option<Secret>) -> Result<User, Denial> {
        match (account.totp, door, code) {
            (false, Door::Smtp | Door::Master, _) => Ok(user(account, None)),
            (true, Door::Smtp, _) => Err(not_enough(Reason::NeedsAppPassword)),
            (true, Door::Master, None) => Err(not_enough(Reason::NeedsCode)),
            (true, Door::Master, Some(code)) => match self.check_code(account, &code).await? {
                SecondFactorOutcome::Accepted => Ok(user(account, None)),
                SecondFactorOutcome::Wrong => Err(not_enough(Reason::BadCode)),
                SecondFactorOutcome::Throttled(throttled) => Err(Denial::Throttled(throttled)),
                SecondFactorOutcome::Damaged => Err(Denial::Unavailable(Fault::Secret)),
            },
        }
    }

    async fn check_code(
        &self,
        account: &Account,
        code: &Secret,
    ) -> Result<SecondFactorOutcome, store::Error> {
        let totp = self.policy.load().totp;
        second_factor::check(&*self.store, &self.keyring, account, code, totp, (self.now)()).await
    }

    /// Notes a login; an attempt that was only examined is none.
    fn note(&self, user: &User, origin: &Origin) {
        let (Some(mechanism), Some(_)) = (origin.mechanism, origin.session) else { return };
        let (at, ip) = ((self.now)(), origin.ip);
        if let Some(credential) = user.credential {
            self.store.used(credential, LastUse { at, ip, mechanism: mechanism.name().to_owned() });
        }
        self.store.logged_in(user.account, at, Some(origin.network()));
    }
}

fn user(account: &Account, app_password: Option<&AppPassword>) -> User {
    User {
        account: account.id,
        address: account.address.clone(),
        credential: app_password.map(|one| one.id),
        version: account.version,
    }
}

/// The account password is right, and does not suffice.
fn not_enough(reason: Reason) -> Denial {
    Denial::Refused(Refusal { reason, matched: Some(Matched::AccountPassword) })
}

/// Tells the gate what came of it.
async fn settle<S: Throttles>(
    gate: &Gate<'_, S>,
    judged: Result<Account, Denial>,
) -> Result<Account, Denial> {
    match &judged {
        Ok(_) => gate.right().await?,
        Err(Denial::Refused(_)) => gate.wrong().await?,
        Err(Denial::Throttled(_) | Denial::Unavailable(_)) => {}
    }
    judged
}

/// The next multiple of `step` behind what has passed.
fn rounded_up(passed: Duration, step: Duration) -> Duration {
    let whole = passed.as_nanos().checked_div(step.as_nanos());
    step.saturating_mul(whole.and_then(|whole| u32::try_from(whole + 1).ok()).unwrap_or(1))
}

fn let_through(throttled: Option<Throttled>) -> Result<(), Denial> {
    throttled.map_or(Ok(()), |throttled| Err(Denial::Throttled(throttled)))
}

/// Whom the client claims to be. It may say so twice, but not act for another (RFC 4616 section 2).
fn claimed_name(attempt: &Attempt) -> Result<Mailbox, Reason> {
    let name = Mailbox::parse(&attempt.username).map_err(|_| Reason::NotAnAddress)?;
    let acts_for = attempt.authzid.as_deref().map(Mailbox::parse).transpose();
    match acts_for {
        Ok(None) => Ok(name),
        Ok(Some(other)) if other.normal() == name.normal() => Ok(name),
        Ok(Some(_)) | Err(_) => Err(Reason::ForeignIdentity),
    }
}

/// Why an app password is not good for this attempt.
fn flaw(
    password: &AppPassword,
    account: &Account,
    name: &Mailbox,
    door: Door,
    ip: IpAddr,
    now: Timestamp,
) -> Option<Reason> {
    let elsewhere = !password.networks.is_empty() && !password.networks.iter().any(|net| net.contains(&ip));
    [
        (account.address.normal() != name.normal(), Reason::AppPasswordOfAnother),
        (account.disabled, Reason::Disabled),
        (has_passed(password.expires_at, now), Reason::Expired),
        (!door.scope().is_some_and(|scope| password.scopes.contains(&scope)), Reason::WrongScope),
        (elsewhere, Reason::NetworkNotAllowed),
    ]
    .into_iter()
    .find_map(|(wrong, reason)| wrong.then_some(reason))
}

#[cfg(test)]
mod tests;
