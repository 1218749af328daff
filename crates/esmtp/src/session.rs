//! The server's side of one connection, as an enum of owned states, nested by what comes next: a line, octets, or the answer to a
//! question (RFC 5321 section 4.1.4, RFC 4954, RFC 3030).
//!
//! ```text
//!              EHLO            MAIL ?            RCPT ?         DATA, BDAT … LAST ?
//!  Greeted ──────────▶ Ready ────────▶ Transaction ─┐  ┌──────▶ Text, Chunk ──────▶ Ready
//!     │                │   │               ▲        │  │            │  ▲
//!     │ STARTTLS       │   │ AUTH          └────────┴──┘            ▼  │ BDAT
//!     ▼                │   ▼                                       Chunked
//!  Handshake ◀─────────┘  Exchange ? ──▶ Ready
//!                             └──▶ LastWord ──▶ Ready
//! ```
//! At each `?` the session asks, and goes on with the answer: for DATA and BDAT what keeps the text, and at its end whether it is
//! kept. EHLO and RSET lead back to `Ready` from everywhere, XCLIENT asks and leads back to `Greeted` from outside of a
//! transaction, QUIT and every reply that closes lead to `Closed`.
//!
//! The session owns its user and the message under way. RSET drops the message with its transaction, STARTTLS and XCLIENT the user, and
//! the end of the session all there is: nothing outside has to be told to forget.

mod phase;
mod login;
mod known;
mod tally;
mod context;
mod state;
mod question;
mod line;
mod anytime;
mod ready;
mod xclient;
mod exchange;
mod transaction;
mod incoming;
mod text;
mod chunk;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

pub use self::known::KnownClient;
pub use self::login::Login;
pub use self::phase::Phase;
pub use self::question::{Question, Ticket};

use self::context::{Closed, Context};
use self::incoming::Behind;
use self::ready::Greeted;
use self::state::{State, Step};
use crate::rejection::Rejection;
use crate::reply::{self, Reply};
use crate::{Channel, Settings};

/// What the questions of a session are about: the `Q` of a [`Ticket`].
pub mod ticket {
    pub use super::question::{
        Client, Commit, Committing, Judge, Judging, Open, Recipient, Salt, Sender, Vouch,
    };
}

/// One connection of a client. `U` is what is known of a user who has logged in, `M` what keeps a message under way; the session
/// owns both.
///
/// Whoever drives it calls [`greet`](Self::greet) once, then [`advance`](Self::advance) until it wants input, writes
/// what stands in [`output`](Self::output), reads more input, and so on.
#[derive(Debug)]
pub struct Session<U, M> {
    context: Context<U>,
    state: State<U, M>,
}

/// What is to be done next.
///
/// Exhaustive: whoever drives a session has to deal with each.
#[derive(Debug)]
pub enum Advance<'s, U, M> {
    /// Write the output, then read more input.
    Input(Phase),
    /// Have these octets kept of the message under way.
    Keep(Keep<'s, U, M>),
    /// Find the answer.
    Ask(Question<'s, U, M>),
    /// Write the output, then shake hands.
    StartTls(Handshake<'s, U, M>),
    /// Write the output, then close the connection.
    Close,
}

/// Octets of a message, and what keeps them. One that is dropped before [`done`](Self::done) closes the session, and the message is
/// gone.
#[derive(Debug)]
pub struct Keep<'s, U, M> {
    message: M,
    octets: Bytes,
    behind: Behind,
    state: &'s mut State<U, M>,
}

impl<U, M> Keep<'_, U, M> {
    /// Takes the octets, which are CRLF-clean and without transparency dots.
    pub fn take_octets(&mut self) -> Bytes {
        std::mem::take(&mut self.octets)
    }

    /// What keeps the message.
    pub fn message(&mut self) -> &mut M {
        &mut self.message
    }

    /// The octets are kept, and the session goes on.
    pub fn done(self) {
        *self.state = self.behind.with(self.message);
    }
}

/// STARTTLS was accepted. Dropped before TLS has begun, it closes the session.
#[derive(Debug)]
pub struct Handshake<'s, U, M> {
    session: &'s mut Session<U, M>,
}

impl<U, M> Handshake<'_, U, M> {
    /// What is to be written in clear before the handshake. Take it out once it is.
    pub fn output(&mut self) -> &mut BytesMut {
        self.session.output()
    }

    /// Begins the session behind the handshake: a new one, since nothing that came before may matter (RFC 3207 section 4.2).
    pub fn into_tls(self, channel: Channel) {
        *self.session = Session::new(Arc::clone(&self.session.context.settings), channel);
    }
}

/// Why a session is ended from outside.
///
/// Exhaustive: whoever drives a session says it, and has to log each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The client took too long: `421 4.4.2`.
    TimedOut,
    /// The server stops: `421 4.3.2`.
    Shutdown,
    /// The client has not logged in, and somebody else gets its place: `421 4.7.0`.
    Displaced,
    /// What was proved at the login holds no longer: `421 4.7.0`.
    Revoked,
}

impl<U, M> Session<U, M> {
    /// A session that has said nothing yet.
    pub fn new(settings: Arc<Settings>, channel: Channel) -> Self {
        Self { context: Context::new(settings, channel), state: Greeted.into() }
    }

    /// Greets the client, unless it has sent something before its turn (RFC 5321 section 4.3.1).
    pub fn greet(&mut self, input: &BytesMut) {
        if input.is_empty() {
            self.context.greet();
        } else {
            self.close(&reply::SYNCHRONISATION);
        }
    }

    /// Turns the client away instead of greeting it.
    pub fn refuse(&mut self, rejection: &Rejection) {
        self.close(&Reply::from(rejection));
    }

    /// Takes what it can from `input` and says what is to be done next.
    pub fn advance(&mut self, input: &mut BytesMut) -> Advance<'_, U, M> {
        loop {
            let step = match std::mem::replace(&mut self.state, State::Closed) {
                State::Line(line) => line.take(input, &mut self.context),
                State::Octets(octets) => octets.take(input, &mut self.context),
                State::Answer(question) => {
                    return Advance::Ask(question.ask(&mut self.context, &mut self.state));
                }
                State::Handshake => return Advance::StartTls(Handshake { session: self }),
                State::Closed => return Advance::Close,
            };
            match step {
                Ok(Step::Next(state)) => self.state = state,
                Ok(Step::Wait(state, phase)) => {
                    self.state = state;
                    return Advance::Input(phase);
                }
                Ok(Step::Keep(message, octets, behind)) => {
                    return Advance::Keep(Keep { message, octets, behind, state: &mut self.state });
                }
                Err(Closed) => return Advance::Close,
            }
        }
    }

    /// The replies to be written. Take them out once they are.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.context.output
    }

    /// Says why the session ends, and closes it.
    pub fn end(&mut self, ending: Ending) {
        self.close(&match ending {
            Ending::TimedOut => reply::TIMED_OUT,
            Ending::Shutdown => reply::SHUTTING_DOWN,
            Ending::Displaced => reply::TOO_MANY_CONNECTIONS,
            Ending::Revoked => reply::REVOKED,
        });
    }

    fn close(&mut self, reply: &Reply) {
        let Closed = self.context.close(reply);
        self.state = State::Closed;
    }

    /// What is known of the client.
    pub fn client(&self) -> &KnownClient<U> {
        &self.context.client
    }

    /// The client may hand in mail: it has logged in, or need not.
    pub fn may_send(&self) -> bool {
        self.context.may_send()
    }

    /// The next input is a command, neither a response nor text.
    pub fn takes_commands(&self) -> bool {
        self.state.takes_commands()
    }
}

#[cfg(test)]
mod tests;
