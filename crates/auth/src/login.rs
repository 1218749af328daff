//! The judge: asks the backends in a row, and answers for all of them alike.
//!
//! - A right app password costs one look-up by its digest, and no Argon2. Nothing that others do gets in its way.
//! - The account password is judged only as long as the throttles let it. Each attempt counts as failed until it is
//!   proved right, so that a thousand at a time learn no more than a thousand in a row.
//! - A right account password costs Argon2 once, then nothing for a few minutes.
//! - Any other password costs exactly one run of Argon2, whatever is wrong with it, and none when it is tried again. Every
//!   refusal is answered alike, not before a time by which every kind of check has ended.
//! - Tokens and certificates, which nobody guesses, are no failures of an account; those of a network they are.

pub(crate) mod attempt;
pub(crate) mod backend;
mod claimed;
mod guarded_attempt;
mod password;
mod challenge;
mod token;
mod certificate;
mod http_handler;
mod proxy_login;
pub(crate) mod outcome;
pub(crate) mod login_report;
pub(crate) mod refusal_time;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use sasl::{AuthHandler, Authenticated, Claim, OAuthChallenge, ScramParameters, ServerSignature, Verdict};
use store::{
    Account, Accounts, AppPassword, AppPasswords, Audit, Certificates, ChallengeKeys, Identities, LastUse,
    Mark, SealedSecrets, SecondFactors, Throttled, Throttles,
};
use tokio::time::Instant;
use types::{AccountId, Mailbox, SessionFacts};

use self::challenge::Answer;
use self::claimed::Claimed;
use crate::challenge_key::ScramAtLogin;
use crate::guard::network_slots::Turns;
use crate::login::attempt::{Attempt, Door, Origin, Proof};
use crate::login::login_report::Trail;
use crate::login::outcome::{Credential, Fault, Outcome, Reason, Refusal, User};
use crate::login::refusal_time::RefusalTime;
use crate::password_hash::expiring_set::Lately;
use crate::password_hash::recent_checks::Recent;
use crate::revision_cache::AtRevision;
use crate::session_rights::{Standing, Standings, has_passed};
use crate::{AppPasswordKey, Backend, HashError, Hasher, Keyring, MarkKey, Policy};

/// How often is looked which hash is the slowest.
const HASHES_SEEN_TO: Duration = Duration::from_secs(60);

/// A password that was tried, and the account as it was then.
type Tried = (Mark, Option<(AccountId, i64)>);

/// A store with all that logging in needs.
pub trait CredentialStore:
    Accounts
    + AppPasswords
    + Audit
    + Certificates
    + ChallengeKeys
    + Identities
    + SealedSecrets
    + SecondFactors
    + Throttles
{
}

impl<S> CredentialStore for S where
    S: Accounts
        + AppPasswords
        + Audit
        + Certificates
        + ChallengeKeys
        + Identities
        + SealedSecrets
        + SecondFactors
        + Throttles
{
}

/// Judges claims by what the store knows.
pub struct Authenticator<S> {
    store: Arc<S>,
    keyring: Arc<Keyring>,
    digests: AppPasswordKey,
    marks: MarkKey,
    hasher: Arc<Hasher>,
    policy: ArcSwap<Policy>,
    /// Who is asked, in this order.
    row: ArcSwap<Vec<Backend>>,
    recent: Recent,
    /// Passwords that were wrong a moment ago, each with the account, if there was one to log in to. The
    /// counters don't tell: they have those, too, that were never judged.
    wrong: Lately<Tried>,
    /// Those that were right where nobody is to learn that: they are to cost as little.
    right_in_secret: Lately<Tried>,
    /// The rows of app passwords, by their digest.
    found: AtRevision<[u8; 32], Arc<(AppPassword, Account)>>,
    standings: Standings,
    scram: ScramAtLogin,
    turns: Turns,
    /// A refusal is answered so long after its claim, or a multiple of that.
    refusal_time: RefusalTime,
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
        let origin = Origin::of(session, claim.mechanism().name());
        self.answer(Attempt::of(claim), &origin).await
    }

    async fn vouched(&self, username: &str, session: &SessionFacts) -> Verdict<User> {
        self.answer(Attempt::vouched(username), &Origin::of(session, "XCLIENT")).await
    }

    /// The same function for every name: nothing is looked up, and nobody learns who exists.
    async fn scram_parameters(&self, username: &str, _session: &SessionFacts) -> Option<ScramParameters> {
        Some(self.keyring.scram_parameters(&self.policy.load().completed(username.to_owned())))
    }

    async fn still_holds(&self, user: &User, _session: &SessionFacts) -> bool {
        self.standing(user).await.map_or(true, |standing| standing.is_some())
    }
}

/// What an attempt led to: the user, and with SCRAM the server's own proof.
struct Proven {
    user: User,
    signature: Option<ServerSignature>,
}

impl From<User> for Proven {
    fn from(user: User) -> Self {
        Self { user, signature: None }
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
    /// The backends of `row` are asked in their order. `now` reads the clock.
    pub fn new(
        store: Arc<S>,
        keyring: Arc<Keyring>,
        hasher: Arc<Hasher>,
        policy: Policy,
        row: Vec<Backend>,
        now: fn() -> Timestamp,
    ) -> Self {
        Self {
            store,
            digests: keyring.app_passwords(),
            marks: keyring.marks(),
            keyring,
            hasher,
            policy: ArcSwap::from_pointee(policy),
            row: ArcSwap::from_pointee(row),
            recent: Recent::new(),
            wrong: Lately::default(),
            right_in_secret: Lately::default(),
            found: AtRevision::new(),
            standings: Standings::new(),
            scram: ScramAtLogin::default(),
            turns: Turns::default(),
            refusal_time: RefusalTime::default(),
            now,
        }
    }

    /// Attempts are judged by this policy and these backends from now on. What providers have published stays known: one
    /// that does not answer must not be missed because of that.
    ///
    /// # Errors
    /// When Argon2 does not know such a cost; then everything stays as it was.
    pub fn replace(&self, policy: Policy, row: Vec<Backend>) -> Result<(), HashError> {
        self.hasher.replace(policy.argon2)?;
        // Each backend stands in a row once.
        for (new, old) in row
            .iter()
            .filter_map(Backend::providers)
            .zip(self.row.load().iter().filter_map(Backend::providers))
        {
            new.inherit(old);
        }
        self.policy.store(Arc::new(policy));
        self.row.store(Arc::new(row));
        Ok(())
    }

    /// Judges an attempt, with all that belongs to it: throttles, log and audit trail. What came of it is more than a
    /// client may know.
    pub async fn examine(&self, attempt: Attempt, origin: &Origin) -> Outcome {
        self.decide(attempt, origin).await.0
    }

    async fn answer(&self, attempt: Attempt, origin: &Origin) -> Verdict<User> {
        let (outcome, signature) = self.decide(attempt, origin).await;
        self.verdict(outcome, signature)
    }

    async fn decide(&self, attempt: Attempt, origin: &Origin) -> (Outcome, Option<ServerSignature>) {
        let begun = Instant::now();
        let attempt = attempt.completed(&self.policy.load());
        let trail = Trail::of(&attempt, origin);
        let is_guess = attempt.proof.is_guess();
        let (outcome, signature) = match self.prove(attempt, origin).await {
            Ok(Proven { user, signature }) => (Outcome::Accepted(user), signature),
            Err(Denial::Refused(refusal)) => (Outcome::Refused(refusal), None),
            Err(Denial::Throttled(throttled)) => (Outcome::Throttled(throttled), None),
            Err(Denial::Unavailable(fault)) => (Outcome::Unavailable(fault), None),
        };
        trail.log(&outcome);
        self.store.note(trail.event(&outcome, (self.now)()));
        match &outcome {
            Outcome::Accepted(user) => self.note(user, is_guess, origin),
            Outcome::Refused(_) => {
                tokio::time::sleep_until(begun + rounded_up(begun.elapsed(), self.refusal_time.now())).await;
            }
            Outcome::Throttled(_) | Outcome::Unavailable(_) => {}
        }
        (outcome, signature)
    }

    /// Sees to it, for as long as it runs, that refusals take longer than the check of the slowest hash in the store.
    pub async fn keep_refusals_alike(&self) {
        loop {
            if let Err(fault) = self.refusal_time.measure(&*self.store, &self.hasher).await {
                let error: &dyn std::error::Error = &fault;
                tracing::warn!(
                    event = "auth.hashes-not-timed",
                    error,
                    "how slow the hashes in the store are could not be measured; that is tried again in a minute"
                );
            }
            tokio::time::sleep(HASHES_SEEN_TO).await;
        }
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
    fn verdict(&self, outcome: Outcome, signature: Option<ServerSignature>) -> Verdict<User> {
        match outcome {
            Outcome::Accepted(user) => {
                let proof = Authenticated::new(user.address.normal(), user);
                Verdict::Accepted(match signature {
                    Some(signature) => proof.with_signature(signature),
                    None => proof,
                })
            }
            Outcome::Refused(Refusal { reason: Reason::NeedsAppPassword, .. })
                if self.policy.load().hint_app_password =>
            {
                Verdict::NeedsAppPassword
            }
            // Whose account or password is missing must not be told that it is wrong; and who never had one hears the same.
            Outcome::Refused(_) if self.store.may_lack() => Verdict::Unavailable,
            Outcome::Refused(_) => Verdict::Refused(self.refusal()),
            Outcome::Throttled(Throttled { until, .. }) => {
                let wait = until.duration_since((self.now)()).unsigned_abs();
                Verdict::Throttled { retry_after: wait.max(Duration::from_secs(1)) }
            }
            Outcome::Unavailable(_) => Verdict::Unavailable,
        }
    }

    /// Whose claim it is, as far as the backends know it. The first that knows the user decides.
    async fn prove(&self, attempt: Attempt, origin: &Origin) -> Result<Proven, Denial> {
        let Attempt { authzid, username, proof, door, answers } = attempt;
        let claimed = Claimed::of(username, authzid, door, answers);
        match proof {
            Proof::Password { password, code } => {
                self.by_password(&claimed, &password, code, origin).await.map(Proven::from)
            }
            Proof::CramMd5(claim) => self.by_answer(&claimed, Answer::CramMd5(&claim), origin).await,
            Proof::Scram(claim) => self.by_answer(&claimed, Answer::Scram(&claim), origin).await,
            Proof::Token(token) => {
                let judged = self.by_token(&claimed, &token, origin);
                self.as_network_may(&claimed, &token, origin, judged).await.map(Proven::from)
            }
            Proof::Certificate => {
                let judged = self.by_certificate(&claimed, origin);
                self.as_network_may(&claimed, &origin.shown(), origin, judged).await.map(Proven::from)
            }
            Proof::Voucher => self.by_voucher(&claimed).await.map(Proven::from),
        }
    }

    /// What every refused client is told; with a token it learns which scope is wanted.
    fn refusal(&self) -> sasl::Refusal {
        let row = self.row.load();
        let scope = row.iter().find_map(|backend| match backend {
            Backend::OAuth(providers) => providers.scope(),
            Backend::Accounts | Backend::Http(_) => None,
        });
        let challenge = OAuthChallenge { scope, ..OAuthChallenge::default() };
        sasl::Refusal { challenge, ..sasl::Refusal::default() }
    }

    /// Notes a login; an attempt that was only examined is none. The network becomes familiar by a right account password
    /// alone: each familiar network may guess at it, and who has but an app password or a token shall not make more of them.
    fn note(&self, user: &User, is_guess: bool, origin: &Origin) {
        let (Some(mechanism), Some(_)) = (origin.mechanism, origin.session_id()) else { return };
        let (at, ip) = ((self.now)(), origin.ip);
        let last_use = LastUse { at, ip, mechanism: mechanism.to_owned() };
        match &user.credential {
            Credential::AppPassword(id) => self.store.used(*id, last_use),
            Credential::Certificate(fingerprint) => self.store.certificate_used(*fingerprint, last_use),
            Credential::AccountPassword
            | Credential::Token { .. }
            | Credential::Http { .. }
            | Credential::Voucher => {}
        }
        // What the HTTP handler takes for a password is guarded as one.
        let is_account_password = match user.credential {
            Credential::AccountPassword => true,
            Credential::Http { .. } => is_guess,
            Credential::AppPassword(_)
            | Credential::Certificate(_)
            | Credential::Token { .. }
            | Credential::Voucher => false,
        };
        self.store.logged_in(user.account, at, is_account_password.then(|| origin.network()));
    }
}

fn user(account: &Account, credential: Credential) -> User {
    User { account: account.id, address: account.address.clone(), credential, version: account.version }
}

/// Whether the account, having no password, may be that of somebody whom another backend knows.
fn is_anothers(account: &Account) -> bool {
    !account.disabled && account.password_hash.is_none()
}

fn refused(reason: Reason) -> Denial {
    Denial::Refused(reason.into())
}

/// The next multiple of `step` behind what has passed.
fn rounded_up(passed: Duration, step: Duration) -> Duration {
    let whole = passed.as_nanos().checked_div(step.as_nanos());
    step.saturating_mul(whole.and_then(|whole| u32::try_from(whole + 1).ok()).unwrap_or(1))
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
