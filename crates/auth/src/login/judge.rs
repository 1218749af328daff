//! The judge: who an attempt is by is found out, reported, and answered no sooner than any refusal.

use std::time::Duration;

use jiff::Timestamp;
use sasl::{AuthHandler, Authenticated, Claim, OAuthChallenge, ScramParameters, ServerSignature, Verdict};
use store::{Accounts as _, Audit as _, Throttled};
use tokio::time::Instant;
use types::SessionFacts;

use super::attempt::{Attempt, Origin, Proof};
use super::authenticator::Authenticator;
use super::backend::Backend;
use super::challenge::ChallengeResponse;
use super::claimed::Claimed;
use super::judgement::{Denial, Judgement, Proven};
use super::login_report::LoginReport;
use super::outcome::{LoginOutcome, LoginRefusal, Reason, User};

impl AuthHandler for Authenticator {
    type User = User;

    async fn judge(&self, claim: Claim, session: &SessionFacts) -> Verdict<User> {
        let origin = Origin::of(session, claim.mechanism().name());
        match Attempt::of(claim) {
            Some(attempt) => self.answer(attempt, &origin).await,
            None => Verdict::Unavailable,
        }
    }

    async fn vouched(&self, username: &str, session: &SessionFacts) -> Verdict<User> {
        self.answer(Attempt::by_proxy(username), &Origin::of(session, "XCLIENT")).await
    }

    /// The same function for every name: nothing is looked up, and nobody learns who exists.
    async fn scram_parameters(&self, username: &str, _session: &SessionFacts) -> Option<ScramParameters> {
        Some(self.keyring.scram_parameters(&self.policy.load().completed(username.to_owned())))
    }

    async fn still_holds(&self, user: &User, _session: &SessionFacts) -> bool {
        self.session_rights(user).await.map_or(true, |rights| rights.is_some())
    }
}

impl Authenticator {
    /// Judges an attempt, with all that belongs to it: throttles, log and audit trail. The outcome is more than a client
    /// may know.
    pub async fn examine(&self, attempt: Attempt, origin: &Origin) -> LoginOutcome {
        self.decide(attempt, origin).await.0
    }

    async fn answer(&self, attempt: Attempt, origin: &Origin) -> Verdict<User> {
        let (outcome, signature) = self.decide(attempt, origin).await;
        self.verdict(outcome, signature)
    }

    async fn decide(&self, attempt: Attempt, origin: &Origin) -> (LoginOutcome, Option<ServerSignature>) {
        let begun = Instant::now();
        let attempt = attempt.completed(&self.policy.load());
        let report = LoginReport::of(&attempt, origin);
        let is_guess = attempt.proof.is_guess();
        let (outcome, signature) = outcome_of(self.prove(attempt, origin).await);
        self.conclude(&outcome, &report, is_guess, begun).await;
        (outcome, signature)
    }

    /// Reports the outcome of an attempt that was begun then, notes a login, and waits until a refusal may be told.
    pub(super) async fn conclude(
        &self,
        outcome: &LoginOutcome,
        report: &LoginReport,
        is_guess: bool,
        begun: Instant,
    ) {
        report.log(outcome);
        self.counters.judged(&report.origin, outcome, begun.elapsed());
        self.store.note(report.event(outcome, (self.now)()));
        match outcome {
            LoginOutcome::Accepted(user) => self.note_use(user, is_guess, report.door, &report.origin),
            LoginOutcome::Refused(_) => self.refusal_time.wait_since(begun).await,
            LoginOutcome::Throttled(_) | LoginOutcome::Unavailable(_) => {}
        }
    }

    /// Asks the backends for the user, in the way of each kind of proof. The first that knows the user decides.
    pub(super) async fn prove(&self, attempt: Attempt, origin: &Origin) -> Judgement<Proven> {
        let Attempt { authzid, username, proof, door, answers } = attempt;
        let claimed = Claimed::of(username, authzid, door, answers);
        match proof {
            Proof::Password { password, code } => {
                self.by_password(&claimed, &password, code, origin).await.map(Proven::from)
            }
            Proof::CramMd5(claim) => {
                self.by_response(&claimed, ChallengeResponse::CramMd5(&claim), origin).await
            }
            Proof::Scram(claim) => self.by_response(&claimed, ChallengeResponse::Scram(&claim), origin).await,
            Proof::Token(token) => {
                let judged = self.by_token(&claimed, &token, origin);
                self.guarded_by_network(&claimed, &token, origin, judged).await.map(Proven::from)
            }
            Proof::Certificate => {
                let judged = self.by_certificate(&claimed, origin);
                self.guarded_by_network(&claimed, &origin.shown(), origin, judged).await.map(Proven::from)
            }
            Proof::ProxyLogin => self.by_proxy_login(&claimed).await.map(Proven::from),
        }
    }

    /// What the client is told of an outcome.
    fn verdict(&self, outcome: LoginOutcome, signature: Option<ServerSignature>) -> Verdict<User> {
        match outcome {
            LoginOutcome::Accepted(user) => Verdict::Accepted(authenticated(user, signature)),
            LoginOutcome::Refused(LoginRefusal { reason: Reason::NeedsAppPassword, .. })
                if self.policy.load().hint_app_password =>
            {
                Verdict::NeedsAppPassword
            }
            LoginOutcome::Refused(_) if self.may_be_right() => Verdict::Unavailable,
            LoginOutcome::Refused(_) => Verdict::Refused(self.refusal()),
            LoginOutcome::Throttled(throttled) => {
                Verdict::Throttled { retry_after: retry_after(&throttled, (self.now)()) }
            }
            LoginOutcome::Unavailable(_) => Verdict::Unavailable,
        }
    }

    /// While the store may lack accounts or passwords, nobody is told that theirs is wrong; nor are those who never had one, or the reply
    /// would tell them apart.
    pub(super) fn may_be_right(&self) -> bool {
        self.store.may_lack()
    }

    /// What every refused client is told; one with a token learns which scope is wanted (RFC 7628 section 3.2.2).
    fn refusal(&self) -> sasl::Refusal {
        let backends = self.backends.load();
        let scope = backends.iter().filter_map(Backend::providers).find_map(|providers| providers.scope());
        let mut challenge = OAuthChallenge::default();
        challenge.scope = scope;
        challenge.into()
    }
}

/// The outcome of a judgement and, with SCRAM, the proof of the server in return.
pub(super) fn outcome_of(judgement: Judgement<Proven>) -> (LoginOutcome, Option<ServerSignature>) {
    match judgement {
        Ok(Proven { user, signature }) => (LoginOutcome::Accepted(user), signature),
        Err(Denial::Refused(refusal)) => (LoginOutcome::Refused(refusal), None),
        Err(Denial::NeedsCode(user)) => {
            let (reason, matched) = (Reason::NeedsCode, Some(user.credential));
            (LoginOutcome::Refused(LoginRefusal { reason, matched }), None)
        }
        Err(Denial::Throttled(throttled)) => (LoginOutcome::Throttled(throttled), None),
        Err(Denial::Unavailable(fault)) => (LoginOutcome::Unavailable(fault), None),
    }
}

fn authenticated(user: User, signature: Option<ServerSignature>) -> Authenticated<User> {
    let authenticated = Authenticated::new(user.address.normal(), user);
    match signature {
        Some(signature) => authenticated.with_signature(signature),
        None => authenticated,
    }
}

/// How long until the throttle lets attempts through again; one second at least.
fn retry_after(throttled: &Throttled, now: Timestamp) -> Duration {
    throttled.until.duration_since(now).unsigned_abs().max(Duration::from_secs(1))
}
