//! Where a session stands, by what comes next. Each of the inner enums has the states alone that can occur there.

use bytes::{Bytes, BytesMut};

use super::chunk::{Chunk, Chunked, Skip};
use super::context::{Closed, Context};
use super::exchange::{Exchange, LastWord};
use super::incoming::Behind;
use super::phase::Phase;
use super::question::{Client, Commit, Judge, Open, Recipient, Salt, Sender, Vouch};
use super::ready::{Greeted, Ready};
use super::text::Text;
use super::transaction::Transaction;

/// What comes next.
#[derive(Debug)]
pub(super) enum State<U, M> {
    /// A line of the client.
    Line(ExpectLine<U, M>),
    /// Octets of a message, which are no lines.
    Octets(ExpectOctets<M>),
    /// The answer to a question.
    Answer(ExpectAnswer<M>),
    /// A TLS handshake.
    Handshake,
    /// Nothing any more.
    Closed,
}

#[derive(Debug)]
pub(super) enum ExpectLine<U, M> {
    Command(ExpectCommand<M>),
    Response(ExpectResponse<U>),
}

#[derive(Debug)]
pub(super) enum ExpectCommand<M> {
    Greeted(Greeted),
    Ready(Ready),
    Transaction(Transaction),
    Chunked(Chunked<M>),
}

/// A response to a challenge.
#[derive(Debug)]
pub(super) enum ExpectResponse<U> {
    Exchange(Exchange),
    LastWord(LastWord<U>),
}

#[derive(Debug)]
pub(super) enum ExpectOctets<M> {
    Text(Text<M>),
    Chunk(Chunk<M>),
    Skip(Skip<M>),
}

#[derive(Debug)]
pub(super) enum ExpectAnswer<M> {
    Salt(Salt),
    Judge(Judge),
    Client(Client),
    Vouch(Vouch),
    Sender(Sender),
    Recipient(Recipient),
    Open(Open),
    Commit(Commit<M>),
}

/// The state behind a command, a response or an answer.
pub(super) type Next<U, M> = Result<State<U, M>, Closed>;

/// What a state could do with the input there is.
#[derive(Debug)]
pub(super) enum Step<U, M> {
    /// It has led to another.
    Next(State<U, M>),
    /// It needs more input.
    Wait(State<U, M>, Phase),
    /// Whoever keeps the message has to take these octets first.
    Keep(M, Bytes, Behind),
}

impl<U, M> State<U, M> {
    /// The next input is a command.
    pub(super) fn takes_commands(&self) -> bool {
        matches!(self, Self::Line(ExpectLine::Command(_)))
    }
}

impl<M> ExpectOctets<M> {
    pub(super) fn take<U>(self, input: &mut BytesMut, cx: &mut Context<U>) -> Result<Step<U, M>, Closed> {
        match self {
            Self::Text(text) => text.take(input, cx),
            Self::Chunk(chunk) => chunk.take(input, cx),
            Self::Skip(skip) => skip.take(input, cx),
        }
    }
}

impl<U, M> From<ExpectCommand<M>> for State<U, M> {
    fn from(state: ExpectCommand<M>) -> Self {
        Self::Line(ExpectLine::Command(state))
    }
}

impl<U, M> From<ExpectResponse<U>> for State<U, M> {
    fn from(state: ExpectResponse<U>) -> Self {
        Self::Line(ExpectLine::Response(state))
    }
}

impl<U, M> From<Next<U, M>> for State<U, M> {
    fn from(next: Next<U, M>) -> Self {
        next.unwrap_or_else(|Closed| Self::Closed)
    }
}
