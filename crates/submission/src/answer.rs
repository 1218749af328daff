//! A session's questions, put to those who can answer them, and the octets of a message, to who keeps it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use esmtp::{Answer, Authentication, Ending, Envelope, Introduction, Phase, Question, Rejection, Session};
use sasl::{AuthHandler, Claim, Verdict};
use tokio::time::Instant;
use types::ForwardPath;

use crate::connection::{Connection, Login};
use crate::handler::MailHandler;

/// The longest that a failed login is kept waiting.
const LONGEST_DELAY: Duration = Duration::from_secs(10);

impl<A: AuthHandler, M: MailHandler<A::User>> Connection<A, M> {
    pub(crate) async fn answer(&mut self, question: Question, session: &Session) -> Answer {
        self.learn(session);
        let began = Instant::now();
        let answer = self.find_answer(question, session).await;
        self.patience.excuse(began.elapsed());
        answer
    }

    async fn find_answer(&mut self, question: Question, session: &Session) -> Answer {
        match question {
            Question::Salt(username) => {
                Answer::Salt(self.house.auth.scram_parameters(&username, self.client.facts()).await)
            }
            Question::Authenticate(claim) => Answer::Authenticate(self.authenticate(claim).await),
            Question::Client(introduction) => Answer::Client(self.introduce(introduction).await),
            Question::Sender(envelope) => {
                self.patience.mail(Instant::now());
                let verdict =
                    self.house.mail.sender(self.user.as_ref(), &envelope, self.client.facts()).await;
                Answer::Sender(verdict)
            }
            Question::Recipient(path) => Answer::Recipient(self.recipient(&path, session).await),
            Question::Commit(envelope) => self.commit(envelope).await,
        }
    }

    /// Whether what was proved at the login has come to nothing meanwhile, which ends the session before it reads
    /// another command, QUIT too. In the text of a message nothing is asked: who takes it looks again at its end.
    pub(crate) async fn revocation(&mut self, session: &Session) -> Option<Ending> {
        let (Phase::Command { .. }, Some(user)) = (session.phase(), self.user.clone()) else { return None };
        self.learn(session);
        let began = Instant::now();
        let holds = Box::pin(self.house.auth.still_holds(&user, self.client.facts())).await;
        self.patience.excuse(began.elapsed());
        (!holds).then_some(Ending::Revoked)
    }

    /// Passes on octets of the message under way, which begins with them if there is none yet.
    pub(crate) async fn keep(&mut self, octets: Bytes, session: &Session) {
        if self.message.is_none() {
            let Some(envelope) = session.envelope() else { return };
            self.message = Some(self.house.mail.open(self.user.as_ref(), envelope, self.client.facts()));
        }
        if let Some(message) = &mut self.message {
            let began = Instant::now();
            self.house.mail.body(message, octets).await;
            self.patience.excuse(began.elapsed());
        }
    }

    async fn recipient(&mut self, path: &ForwardPath, session: &Session) -> Result<(), Rejection> {
        let envelope = session.envelope().ok_or(Rejection::Unavailable)?;
        self.house.mail.recipient(self.user.as_ref(), envelope, path, self.client.facts()).await
    }

    /// What handlers may know of the client changes with every EHLO.
    fn learn(&mut self, session: &Session) {
        self.client.is_called(session.ehlo(), session.extended());
    }

    async fn authenticate(&mut self, claim: Claim) -> Authentication {
        let mechanism = claim.mechanism().name();
        self.client.hold();
        let verdict = self.house.auth.judge(claim, self.client.facts()).await;
        self.heed(verdict, mechanism).await
    }

    /// A proxy says that its client has logged in.
    async fn vouch(&mut self, username: &str) -> Authentication {
        self.client.hold();
        let verdict = self.house.auth.vouched(username, self.client.facts()).await;
        self.heed(verdict, "XCLIENT").await
    }

    async fn heed(&mut self, verdict: Verdict<A::User>, mechanism: &'static str) -> Authentication {
        let authentication = Authentication::from(&verdict);
        match verdict {
            Verdict::Accepted(proof) => {
                let name = proof.identity().to_owned();
                self.proved = Some(Login { name, mechanism, user: Arc::new(proof.into_user()) });
            }
            Verdict::Refused(_) | Verdict::NeedsAppPassword => {
                self.client.loosen();
                self.delay_failure().await;
            }
            Verdict::Throttled { .. } | Verdict::Unavailable => self.client.loosen(),
        }
        authentication
    }

    /// The client has logged in, or need not.
    pub(crate) fn trust(&mut self) {
        self.patience.trust();
        self.client.hold();
    }

    /// The login and the message of who was there before are gone: TLS begins, or the client is another.
    pub(crate) fn begin_anew(&mut self) {
        (self.proved, self.user, self.message) = (None, None, None);
        self.line.login = None;
        self.patience.distrust();
    }

    /// From here on the client is who the proxy says with XCLIENT, and not who it was before.
    async fn introduce(&mut self, client: Introduction) -> Result<Option<Authentication>, Rejection> {
        self.begin_anew();
        self.client.introduce(&client, &self.terms.limits)?;
        match client.login {
            None => Ok(None),
            Some(username) => Ok(Some(self.vouch(&username).await)),
        }
    }

    /// What was proved holds from here on.
    pub(crate) fn log_in(&mut self) {
        if let Some(Login { name, mechanism, user }) = self.proved.take() {
            self.line.login = Some((name, mechanism));
            self.trust();
            self.user = Some(user);
        }
    }

    /// Makes guessing slow without holding anything but this connection. The first failure costs nothing: that one
    /// is a typing error.
    async fn delay_failure(&mut self) {
        let delay = (self.terms.limits.failure_delay * self.failures).min(LONGEST_DELAY);
        self.failures = self.failures.saturating_add(1);
        if !delay.is_zero() {
            self.house.stop.run_until_cancelled(tokio::time::sleep(delay)).await;
        }
    }

    async fn commit(&mut self, envelope: Envelope) -> Answer {
        let mail = &self.house.mail;
        let message = self.message.take();
        // A message without a single octet has not begun yet.
        let message =
            message.unwrap_or_else(|| mail.open(self.user.as_ref(), &envelope, self.client.facts()));
        let verdict = mail.commit(message, envelope).await;
        self.line.messages += u32::from(verdict.is_ok());
        Answer::Commit(verdict)
    }
}
