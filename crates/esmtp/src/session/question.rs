//! What a session asks the world outside, with a ticket for each answer.

use bytes::BytesMut;
use sasl::{Claim, Mechanism, SaltWanted, ScramParameters, Verdict};
use types::{EnvelopeRecipient, ForwardPath};

use super::context::Context;
use super::exchange;
use super::known::KnownClient;
use super::ready::Ready;
use super::state::{ExpectAnswer, Next, State};
use super::transaction::{self, Framing, Transaction};
use super::xclient;
use crate::reply::Reply;
use crate::{Durable, Envelope, Introduction, Rejection, SenderAllowed};

/// A decision that is not the protocol's to make. Each has a ticket that takes the answer to this question and to no other.
///
/// Exhaustive: whoever drives a session has to answer each.
#[derive(Debug)]
pub enum Question<'s, U, M> {
    /// What are the SCRAM keys of this user made with?
    Salt(Ticket<'s, Salt, U, M>),
    /// Is this claim true?
    Judge(Ticket<'s, Judge, U, M>),
    /// Is there room for this client of a trusted proxy? It has taken the place of the one before, whatever the answer.
    Client(Ticket<'s, Client, U, M>),
    /// May the client be logged in by the proxy's word?
    Vouch(Ticket<'s, Vouch, U, M>),
    /// May the client send in this name?
    Sender(Ticket<'s, Sender, U, M>),
    /// May the message go to this recipient?
    Recipient(Ticket<'s, Recipient, U, M>),
    /// What keeps the text that begins now?
    Open(Ticket<'s, Open, U, M>),
    /// Is the message safe? This ends its transaction.
    Commit(Ticket<'s, Commit<M>, U, M>),
}

impl<U, M> Question<'_, U, M> {
    /// What is known of the client that the question is about.
    pub fn client(&self) -> &KnownClient<U> {
        match self {
            Self::Salt(ticket) => ticket.client(),
            Self::Judge(ticket) => ticket.client(),
            Self::Client(ticket) => ticket.client(),
            Self::Vouch(ticket) => ticket.client(),
            Self::Sender(ticket) => ticket.client(),
            Self::Recipient(ticket) => ticket.client(),
            Self::Open(ticket) => ticket.client(),
            Self::Commit(ticket) => ticket.client(),
        }
    }

    /// The replies to what came before the question. They may be written before it is answered, but need not.
    pub fn output(&mut self) -> &mut BytesMut {
        match self {
            Self::Salt(ticket) => &mut ticket.context.output,
            Self::Judge(ticket) => &mut ticket.context.output,
            Self::Client(ticket) => &mut ticket.context.output,
            Self::Vouch(ticket) => &mut ticket.context.output,
            Self::Sender(ticket) => &mut ticket.context.output,
            Self::Recipient(ticket) => &mut ticket.context.output,
            Self::Open(ticket) => &mut ticket.context.output,
            Self::Commit(ticket) => &mut ticket.context.output,
        }
    }
}

/// An open question. It holds the session, so that no input is taken until it is answered; a ticket that is dropped without an
/// answer closes the session.
///
/// The answer to another question does not compile:
///
/// ```compile_fail,E0308
/// # use esmtp::{Durable, Ticket, ticket::Sender};
/// fn answer<U, M>(question: Ticket<'_, Sender, U, M>, durable: Durable) {
///     question.answer(Ok(durable));
/// }
/// ```
///
/// Neither does reading on while it is open:
///
/// ```compile_fail,E0499
/// # use bytes::BytesMut;
/// # use esmtp::{Advance, Session};
/// fn read_on<U, M>(session: &mut Session<U, M>, input: &mut BytesMut) {
///     if let Advance::Ask(question) = session.advance(input) {
///         session.advance(input);
///         drop(question);
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Ticket<'s, Q, U, M> {
    question: Q,
    context: &'s mut Context<U>,
    state: &'s mut State<U, M>,
}

/// A question about the salt of a user.
#[derive(Debug)]
pub struct Salt(pub(super) SaltWanted);

/// A question about a claim that is still with the session.
#[derive(Debug)]
pub struct Judge {
    pub(super) claim: Claim,
    /// The client has sent nothing behind its claim.
    pub(super) waits: bool,
}

/// A question about a claim that a judge has.
#[derive(Debug)]
pub struct Judging {
    mechanism: Mechanism,
    waits: bool,
}

/// A question about the client that a proxy has introduced.
#[derive(Debug)]
pub struct Client;

/// A question about the login that a proxy has told.
#[derive(Debug)]
pub struct Vouch(pub(super) String);

/// A question about a sender.
#[derive(Debug)]
pub struct Sender(pub(super) Transaction);

/// A question about a recipient.
#[derive(Debug)]
pub struct Recipient {
    pub(super) transaction: Transaction,
    pub(super) recipient: EnvelopeRecipient,
}

/// A question about a message whose text begins.
#[derive(Debug)]
pub struct Open {
    pub(super) envelope: Envelope,
    pub(super) framing: Framing,
}

/// A question about a message that is complete and still with the session.
#[derive(Debug)]
pub struct Commit<M> {
    pub(super) message: M,
    pub(super) envelope: Envelope,
}

/// A question about a message that is with whoever commits it.
#[derive(Debug)]
pub struct Committing;

impl<M> ExpectAnswer<M> {
    /// The question, which holds the session from here on.
    pub(super) fn ask<'s, U>(
        self,
        context: &'s mut Context<U>,
        state: &'s mut State<U, M>,
    ) -> Question<'s, U, M> {
        match self {
            Self::Salt(question) => Question::Salt(Ticket { question, context, state }),
            Self::Judge(question) => Question::Judge(Ticket { question, context, state }),
            Self::Client(question) => Question::Client(Ticket { question, context, state }),
            Self::Vouch(question) => Question::Vouch(Ticket { question, context, state }),
            Self::Sender(question) => Question::Sender(Ticket { question, context, state }),
            Self::Recipient(question) => Question::Recipient(Ticket { question, context, state }),
            Self::Open(question) => Question::Open(Ticket { question, context, state }),
            Self::Commit(question) => Question::Commit(Ticket { question, context, state }),
        }
    }
}

impl<Q, U, M> Ticket<'_, Q, U, M> {
    /// What is known of the client.
    pub fn client(&self) -> &KnownClient<U> {
        &self.context.client
    }

    fn go_on(self, next: impl FnOnce(Q, &mut Context<U>) -> Next<U, M>) {
        *self.state = next(self.question, self.context).into();
    }
}

impl<U, M> Ticket<'_, Salt, U, M> {
    /// Whose SCRAM keys they are.
    pub fn username(&self) -> &str {
        self.question.0.username()
    }

    /// What they are made with; `None` to make it up.
    pub fn answer(self, parameters: Option<ScramParameters>) {
        // The client has waited: that is seen to before the question.
        self.go_on(|Salt(wanted), cx| exchange::on_step(wanted.with(parameters), true, cx));
    }
}

impl<'s, U, M> Ticket<'s, Judge, U, M> {
    /// The claim, and the ticket for what comes of it.
    pub fn into_claim(self) -> (Claim, Ticket<'s, Judging, U, M>) {
        let Judge { claim, waits } = self.question;
        let question = Judging { mechanism: claim.mechanism(), waits };
        (claim, Ticket { question, context: self.context, state: self.state })
    }
}

impl<U, M> Ticket<'_, Judging, U, M> {
    /// What came of the claim. An accepted user is the session's from here on.
    pub fn answer(self, verdict: Verdict<U>) {
        self.go_on(|Judging { mechanism, waits }, cx| exchange::on_verdict(verdict, mechanism, waits, cx));
    }
}

impl<U, M> Ticket<'_, Client, U, M> {
    /// What the proxy has said.
    pub fn introduction(&self) -> &Introduction {
        &self.context.client.introduction
    }

    /// There is room, or why not, which closes the session.
    pub fn answer(self, verdict: Result<(), Rejection>) {
        self.go_on(|Client, cx| xclient::on_client(verdict, cx));
    }
}

impl<U, M> Ticket<'_, Vouch, U, M> {
    /// Whom the proxy has authenticated the client as.
    pub fn username(&self) -> &str {
        &self.question.0
    }

    /// What came of the proxy's word. An accepted user is the session's from here on.
    pub fn answer(self, verdict: Verdict<U>) {
        self.go_on(|Vouch(_), cx| xclient::on_vouched(verdict, cx));
    }
}

impl<U, M> Ticket<'_, Sender, U, M> {
    /// The envelope, which has no recipients yet.
    pub fn envelope(&self) -> &Envelope {
        self.question.0.envelope()
    }

    /// The sender may be used, or why not.
    pub fn answer(self, verdict: Result<SenderAllowed, Rejection>) {
        self.go_on(|Sender(transaction), cx| transaction.on_sender(verdict, cx));
    }
}

impl<U, M> Ticket<'_, Recipient, U, M> {
    /// The envelope with the recipients that were accepted before.
    pub fn envelope(&self) -> &Envelope {
        self.question.transaction.envelope()
    }

    /// The recipient.
    pub fn path(&self) -> &ForwardPath {
        &self.question.recipient.path
    }

    /// The recipient is accepted, or why not.
    pub fn answer(self, verdict: Result<(), Rejection>) {
        self.go_on(|Recipient { transaction, recipient }, cx| {
            transaction.on_recipient(recipient, verdict, cx)
        });
    }
}

impl<U, M> Ticket<'_, Open, U, M> {
    /// The envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.question.envelope
    }

    /// What keeps the octets of the message. It is the session's from here on.
    pub fn answer(self, message: M) {
        self.go_on(|Open { envelope, framing }, cx| transaction::on_open(message, envelope, framing, cx));
    }
}

impl<'s, U, M> Ticket<'s, Commit<M>, U, M> {
    /// The message, its envelope, and the ticket for what becomes of them.
    pub fn into_message(self) -> (M, Envelope, Ticket<'s, Committing, U, M>) {
        let Commit { message, envelope } = self.question;
        (message, envelope, Ticket { question: Committing, context: self.context, state: self.state })
    }
}

impl<U, M> Ticket<'_, Committing, U, M> {
    /// The message is on stable storage, or why not.
    pub fn answer(self, verdict: Result<Durable, Rejection>) {
        self.go_on(|Committing, cx| match verdict {
            Ok(message) => {
                cx.accept(&message);
                Ok(Ready.into())
            }
            Err(rejection) => cx.fault(&Reply::from(&rejection), Ready.into()),
        });
    }
}
