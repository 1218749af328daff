//! The server's side of one connection, as an enum of owned states (RFC 5321 section 4.1.4, RFC 4954, RFC 3030).
//!
//! ```text
//!              EHLO            MAIL ?            RCPT ?         DATA, BDAT … LAST ?
//!  Greeted ──────────▶ Ready ────────▶ Transaction ─┐  ┌──────▶ Text, Chunk ──────▶ Ready
//!     │                │   │               ▲        │  │            │  ▲
//!     │ STARTTLS       │   │ AUTH          └────────┴──┘            ▼  │ BDAT
//!     ▼                │   ▼                                       Chunked
//!  Securing ◀──────────┘  Exchange ? ──▶ Ready
//!                             └──▶ LastWord ──▶ Ready
//! ```
//! At each `?` the session asks and parks in `Awaiting`; it takes no input until the answer is there. EHLO and RSET
//! lead back to `Ready` from everywhere, XCLIENT asks and leads back to `Greeted` from outside of a transaction, QUIT and every
//! reply that closes lead to `Closing`.

mod question;
mod state;
mod context;
mod anytime;
mod ready;
mod xclient;
mod exchange;
mod transaction;
mod text;
mod chunk;

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use types::EhloName;

pub use self::question::{Answer, Authentication, Question};

use self::context::Context;
use self::question::Pending;
use self::ready::{Greeted, Ready};
use self::state::State;
use crate::command::{Command, SyntaxError, begins_auth, is_rcpt};
use crate::limits::{AUTH_LINE, COMMAND_LINE};
use crate::line::{Flood, Line};
use crate::reply::{self, Rejection, Reply};
use crate::{Channel, Envelope, Settings};

/// One connection of a client.
///
/// Whoever drives it calls [`greet`](Self::greet) once, then [`advance`](Self::advance) until it wants input, writes
/// what stands in [`output`](Self::output), reads more input, and so on.
#[derive(Debug)]
pub struct Session {
    context: Context,
    state: State,
}

/// What is to be done next.
#[derive(Debug)]
pub enum Advance {
    /// Write the output, then read more input.
    Input,
    /// Keep these octets of the message under way. They are CRLF-clean and without transparency dots.
    Body(Bytes),
    /// Drop what was kept of the message under way.
    Discard,
    /// What the judge said holds from here on: the client has logged in.
    LoggedIn,
    /// Find the answer, and give it to [`Session::answer`].
    Ask(Question),
    /// Write the output, then shake hands, and go on with [`Session::into_tls`].
    StartTls,
    /// Write the output, then close the connection.
    Close,
}

/// What the session waits for, which says how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// A command.
    Command {
        /// The client has logged in.
        authenticated: bool,
    },
    /// A line of an AUTH exchange.
    Exchange,
    /// The text of a message.
    Body,
}

/// Why a session is ended from outside.
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

impl Session {
    /// A session that has said nothing yet.
    pub fn new(settings: Arc<Settings>, channel: Channel) -> Self {
        Self { context: Context::new(settings, channel), state: State::Greeted(Greeted) }
    }

    /// Greets the client, unless it has sent something before its turn (RFC 5321 section 4.3.1).
    pub fn greet(&mut self, input: &BytesMut) {
        if input.is_empty() {
            self.context.greet();
        } else {
            self.state = self.context.close(&reply::SYNCHRONISATION);
        }
    }

    /// Turns the client away instead of greeting it.
    pub fn refuse(&mut self, rejection: &Rejection) {
        self.state = self.context.close(&Reply::from(rejection));
    }

    /// Takes what it can from `input` and says what is to be done next.
    pub fn advance(&mut self, input: &mut BytesMut) -> Advance {
        loop {
            if self.context.take_discard() {
                return Advance::Discard;
            }
            let (state, advance) = self.step(input);
            self.state = state;
            if let Some(advance) = advance {
                return advance;
            }
        }
    }

    /// The state behind the next step, and what is to be done before another.
    fn step(&mut self, input: &mut BytesMut) -> (State, Option<Advance>) {
        match std::mem::replace(&mut self.state, State::Closing) {
            State::Text(text) => text.take(input, &mut self.context),
            State::Chunk(chunk) => chunk.take(input, &mut self.context),
            State::Skip(skip) => skip.take(input, &mut self.context),
            State::LoggedIn => (State::Ready(Ready), Some(Advance::LoggedIn)),
            State::Vouched => (State::Greeted(Greeted), Some(Advance::LoggedIn)),
            State::Asking(question, pending) => (State::Awaiting(pending), Some(Advance::Ask(question))),
            waiting @ State::Awaiting(_) => (waiting, Some(Advance::Input)),
            State::Securing => (State::Securing, Some(Advance::StartTls)),
            State::Closing => (State::Closing, Some(Advance::Close)),
            listening @ (State::Greeted(_)
            | State::Ready(_)
            | State::Exchange(_)
            | State::LastWord(_)
            | State::Transaction(_)
            | State::Chunked(_)) => self.take_line(listening, input),
        }
    }

    fn take_line(&mut self, state: State, input: &mut BytesMut) -> (State, Option<Advance>) {
        match self.context.lines.skip_refused(input) {
            Ok(false) => {}
            Ok(true) => return (state, Some(Advance::Input)),
            Err(Flood) => return (self.context.close(&reply::TOO_MANY_ERRORS), None),
        }
        let auth = matches!(state, State::Exchange(_) | State::LastWord(_)) || begins_auth(input);
        let limit = if auth { AUTH_LINE } else { COMMAND_LINE };
        let Some(line) = self.context.lines.next(input, limit) else { return (state, Some(Advance::Input)) };
        let last_of_input = input.is_empty();
        let state = match line {
            Line::Whole(line) => self.on_line(state, &line, last_of_input),
            Line::TooLong if auth => self.context.fault(&reply::AUTH_LINE_TOO_LONG, state.without_exchange()),
            Line::TooLong => self.context.fault(&reply::LINE_TOO_LONG, state),
            Line::BareLineEnd => self.context.fault(&reply::BARE_LINE_END, state.without_exchange()),
        };
        (state, None)
    }

    fn on_line(&mut self, state: State, line: &[u8], last_of_input: bool) -> State {
        let cx = &mut self.context;
        let state = match state {
            // Blanks behind a response are none of it.
            State::Exchange(exchange) => return exchange.on_line(line.trim_ascii_end(), last_of_input, cx),
            State::LastWord(last_word) => return last_word.on_line(line.trim_ascii_end(), cx),
            other @ (State::Greeted(_)
            | State::Ready(_)
            | State::LoggedIn
            | State::Vouched
            | State::Transaction(_)
            | State::Text(_)
            | State::Chunk(_)
            | State::Chunked(_)
            | State::Skip(_)
            | State::Asking(..)
            | State::Awaiting(_)
            | State::Securing
            | State::Closing) => other,
        };
        let command = Command::parse(line);
        if cx.is_one_command_too_many(&command) {
            return cx.close(&reply::TOO_MANY_COMMANDS);
        }
        let first = std::mem::replace(&mut cx.is_first_line, false);
        match command {
            Ok(Command::Anytime(command)) => anytime::on(state, command, cx),
            Ok(Command::Ordered(command)) => state.on(command, last_of_input, cx),
            // A first line that is no command comes from no mail client: a browser made to talk to us, or a scanner.
            Err(SyntaxError::UnknownCommand) if first && !line.is_empty() => {
                cx.close(&Reply::from(SyntaxError::Foreign))
            }
            Err(error @ SyntaxError::Foreign) => cx.close(&Reply::from(error)),
            // Where the chunk ends is unknown, so what follows can't be told from commands.
            Err(error @ SyntaxError::BadChunkSize) => cx.close(&Reply::from(error)),
            Err(error) if is_rcpt(line) => state.on_unreadable_recipient(&Reply::from(error), cx),
            Err(error) => cx.fault(&Reply::from(error), state),
        }
    }

    /// Gives the answer to the open question. An answer to another question closes the session.
    pub fn answer(&mut self, answer: Answer) {
        let cx = &mut self.context;
        self.state = match (std::mem::replace(&mut self.state, State::Closing), answer) {
            (State::Awaiting(Pending::Salt(wanted)), Answer::Salt(parameters)) => {
                exchange::on_step(wanted.with(parameters), true, cx)
            }
            (State::Awaiting(Pending::Authenticate { mechanism, waits }), Answer::Authenticate(verdict)) => {
                exchange::on_verdict(verdict, mechanism, waits, cx)
            }
            (State::Awaiting(Pending::Client(introduction)), Answer::Client(verdict)) => {
                xclient::on_client(introduction, verdict, cx)
            }
            (State::Awaiting(Pending::Sender(transaction)), Answer::Sender(verdict)) => {
                transaction.on_sender(verdict, cx)
            }
            (State::Awaiting(Pending::Recipient(transaction, path)), Answer::Recipient(verdict)) => {
                transaction.on_recipient(path, verdict, cx)
            }
            (State::Awaiting(Pending::Commit), Answer::Commit(verdict)) => cx.on_commit(verdict),
            (
                _,
                Answer::Salt(_)
                | Answer::Authenticate(_)
                | Answer::Client(_)
                | Answer::Sender(_)
                | Answer::Recipient(_)
                | Answer::Commit(_),
            ) => cx.close(&reply::INTERNAL),
        };
    }

    /// The replies to be written. Take them out once they are.
    pub fn output(&mut self) -> &mut BytesMut {
        &mut self.context.output
    }

    /// The session behind a handshake: a new one, since nothing that came before may matter (RFC 3207 section 4.2).
    pub fn into_tls(self, channel: Channel) -> Self {
        Self::new(self.context.settings, channel)
    }

    /// Says why the session ends, and closes it.
    pub fn end(&mut self, ending: Ending) {
        let reply = match ending {
            Ending::TimedOut => reply::TIMED_OUT,
            Ending::Shutdown => reply::SHUTTING_DOWN,
            Ending::Displaced => reply::TOO_MANY_CONNECTIONS,
            Ending::Revoked => reply::REVOKED,
        };
        self.state = self.context.close(&reply);
    }

    /// What the session waits for.
    pub fn phase(&self) -> Phase {
        self.state.phase(self.context.authenticated)
    }

    /// MAIL was accepted, and the message has not ended yet.
    pub fn in_transaction(&self) -> bool {
        self.state.in_transaction()
    }

    /// The envelope of the transaction that runs.
    pub fn envelope(&self) -> Option<&Envelope> {
        self.state.envelope()
    }

    /// The name that the client gave with EHLO or HELO: to a proxy, if that has told it.
    pub fn ehlo(&self) -> Option<&EhloName> {
        self.context.introduction.helo.as_ref().or(self.context.ehlo.as_ref())
    }

    /// The client said EHLO, not HELO.
    pub fn extended(&self) -> bool {
        self.context.extended
    }
}

#[cfg(test)]
mod tests;
