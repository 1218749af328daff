//! A session's questions, put to those who can answer them, and the octets of a message, to what keeps it.

use std::sync::Arc;
use std::time::Duration;

use esmtp::{Ending, Keep, KnownClient, Phase, Question, Ticket, ticket};
use sasl::{AuthHandler, Verdict};
use tokio::time::Instant;

use crate::connection::{Connection, Message, User};
use crate::handler::MailHandler;

/// The longest that a failed login is kept waiting.
const LONGEST_DELAY: Duration = Duration::from_secs(10);

/// A question of a session in this house.
type Asked<'s, Q, A, M> = Ticket<'s, Q, User<A>, Message<A, M>>;

impl<A: AuthHandler, M: MailHandler<A::User>> Connection<A, M> {
    /// Finds the answer. What that takes is not the client's time.
    pub(crate) async fn answer(&mut self, question: Question<'_, User<A>, Message<A, M>>) {
        self.learn(question.client());
        let began = Instant::now();
        self.find_answer(question).await;
        self.patience.excuse(began.elapsed());
    }

    /// What handlers do is boxed, each for itself: a login needs much room, which neither an idle connection nor a command that comes later should
    /// have to take.
    async fn find_answer(&mut self, question: Question<'_, User<A>, Message<A, M>>) {
        let Self { house, client, .. } = self;
        match question {
            Question::Salt(ticket) => {
                let parameters = house.auth.scram_parameters(ticket.username(), client.facts());
                let parameters = Box::pin(parameters).await;
                ticket.answer(parameters);
            }
            Question::Judge(ticket) => Box::pin(self.judge(ticket)).await,
            Question::Client(ticket) => {
                let room = client.introduce(ticket.introduction(), &self.terms.limits);
                ticket.answer(room.and_then(|()| (house.on_open)(client.facts())));
            }
            Question::Vouch(ticket) => Box::pin(self.vouch(ticket)).await,
            Question::Sender(ticket) => {
                self.patience.mail(Instant::now());
                let user = ticket.client().user();
                let verdict = house.mail.sender(user, ticket.envelope(), client.facts());
                let verdict = Box::pin(verdict).await;
                ticket.answer(verdict);
            }
            Question::Recipient(ticket) => {
                let (user, envelope) = (ticket.client().user(), ticket.envelope());
                let verdict = house.mail.recipient(user, envelope, ticket.path(), client.facts());
                let verdict = Box::pin(verdict).await;
                ticket.answer(verdict);
            }
            Question::Open(ticket) => {
                let message = house.mail.open(ticket.client().user(), ticket.envelope(), client.facts());
                ticket.answer(Box::new(message));
            }
            Question::Commit(ticket) => Box::pin(self.commit(ticket)).await,
        }
    }

    /// Whether what was proved at the login has come to nothing meanwhile, which ends the session before it reads
    /// another command, QUIT too. In the text of a message nothing is asked: who takes it looks again at its end.
    pub(crate) async fn revocation(&mut self, phase: Phase, client: &KnownClient<User<A>>) -> Option<Ending> {
        let user = client.user().filter(|_| phase.is_command())?;
        self.learn(client);
        let began = Instant::now();
        let holds = Box::pin(self.house.auth.still_holds(user, self.client.facts())).await;
        self.patience.excuse(began.elapsed());
        (!holds).then_some(Ending::Revoked)
    }

    /// Passes on octets of the message under way.
    pub(crate) async fn keep(&mut self, mut kept: Keep<'_, User<A>, Message<A, M>>) {
        let began = Instant::now();
        let octets = kept.take_octets();
        self.house.mail.body(kept.message(), octets).await;
        self.patience.excuse(began.elapsed());
        kept.done();
    }

    /// What handlers may know of the client changes with every EHLO.
    fn learn(&mut self, client: &KnownClient<User<A>>) {
        self.client.set_ehlo(client.ehlo(), client.extended());
    }

    async fn judge(&mut self, ticket: Asked<'_, ticket::Judge, A, M>) {
        let (claim, ticket) = ticket.into_claim();
        self.client.hold();
        let verdict = self.house.auth.judge(claim, self.client.facts()).await;
        self.heed(&verdict).await;
        ticket.answer(verdict.map(Arc::new));
    }

    /// A proxy says that its client has logged in.
    async fn vouch(&mut self, ticket: Asked<'_, ticket::Vouch, A, M>) {
        self.client.hold();
        let verdict = self.house.auth.vouched(ticket.username(), self.client.facts()).await;
        self.heed(&verdict).await;
        ticket.answer(verdict.map(Arc::new));
    }

    /// Who was not accepted may lose its place, and waits if it was refused.
    async fn heed(&mut self, verdict: &Verdict<A::User>) {
        match verdict {
            Verdict::Accepted(_) => {}
            Verdict::Refused(_) | Verdict::NeedsAppPassword => {
                self.client.loosen();
                self.delay_failure().await;
            }
            _ => self.client.loosen(),
        }
    }

    /// Makes guessing slow without holding anything but this connection. The first failure costs nothing: that one
    /// is a typing error.
    async fn delay_failure(&mut self) {
        let delay = self.terms.limits.failure_delay.saturating_mul(self.failures).min(LONGEST_DELAY);
        self.failures = self.failures.saturating_add(1);
        if !delay.is_zero() {
            self.house.stop.run_until_cancelled(tokio::time::sleep(delay)).await;
        }
    }

    async fn commit(&mut self, ticket: Asked<'_, ticket::Commit<Message<A, M>>, A, M>) {
        let (message, envelope, ticket) = ticket.into_message();
        let verdict = self.house.mail.commit(*message, envelope).await;
        self.line.messages += u32::from(verdict.is_ok());
        ticket.answer(verdict);
    }
}
