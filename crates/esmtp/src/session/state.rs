//! Where a session stands, and what can be told of it in every state alike.

use super::Phase;
use super::chunk::{Chunk, Chunked, Skip};
use super::context::Context;
use super::exchange::{Exchange, LastWord};
use super::question::{Pending, Question};
use super::ready::{Greeted, Ready};
use super::text::Text;
use super::transaction::Transaction;
use crate::Envelope;
use crate::command::Ordered;
use crate::reply::{self, Reply};

#[derive(Debug)]
pub(super) enum State {
    Greeted(Greeted),
    Ready(Ready),
    Exchange(Exchange),
    LastWord(LastWord),
    LoggedIn,
    /// The same, by the word of a proxy, for a client that has yet to say EHLO.
    Vouched,
    Transaction(Transaction),
    Text(Text),
    Chunk(Chunk),
    Chunked(Chunked),
    Skip(Skip),
    /// A question that is about to be asked.
    Asking(Question, Pending),
    Awaiting(Pending),
    Securing,
    Closing,
}

impl State {
    /// What a command does that has its place in an order.
    pub(super) fn on(self, command: Ordered, last_of_input: bool, cx: &mut Context) -> Self {
        if let Some(refusal) = cx.refusal_before_login(&command) {
            return Skip::behind(command, self, refusal, cx);
        }
        match self {
            Self::Greeted(greeted) => greeted.on(command, last_of_input, cx),
            Self::Ready(ready) => ready.on(command, last_of_input, cx),
            Self::Transaction(transaction) => transaction.on(command, last_of_input, cx),
            Self::Chunked(chunked) => chunked.on(command, cx),
            Self::Exchange(_)
            | Self::LastWord(_)
            | Self::LoggedIn
            | Self::Vouched
            | Self::Text(_)
            | Self::Chunk(_)
            | Self::Skip(_)
            | Self::Asking(..)
            | Self::Awaiting(_)
            | Self::Securing
            | Self::Closing => cx.close(&reply::INTERNAL),
        }
    }

    /// A recipient whose path or parameters can't be read is one that is refused.
    pub(super) fn on_unreadable_recipient(self, reply: &Reply, cx: &mut Context) -> Self {
        if let Self::Transaction(transaction) = self {
            return transaction.on_unreadable_recipient(reply, cx);
        }
        cx.fault(reply, self)
    }

    /// A line that can't be read ends the exchange it belonged to.
    pub(super) fn without_exchange(self) -> Self {
        if let Self::Exchange(_) | Self::LastWord(_) = self { Self::Ready(Ready) } else { self }
    }

    pub(super) fn phase(&self, authenticated: bool) -> Phase {
        match self {
            Self::Exchange(_) | Self::LastWord(_) => Phase::Exchange,
            Self::Text(_) | Self::Chunk(_) | Self::Skip(_) => Phase::Body,
            Self::Greeted(_)
            | Self::Ready(_)
            | Self::LoggedIn
            | Self::Vouched
            | Self::Transaction(_)
            | Self::Chunked(_)
            | Self::Asking(..)
            | Self::Awaiting(_)
            | Self::Securing
            | Self::Closing => Phase::Command { authenticated },
        }
    }

    pub(super) fn in_transaction(&self) -> bool {
        self.envelope().is_some() || matches!(self, Self::Awaiting(Pending::Commit))
    }

    pub(super) fn envelope(&self) -> Option<&Envelope> {
        match self {
            Self::Transaction(transaction) => Some(transaction.envelope()),
            Self::Text(text) => Some(text.envelope()),
            Self::Chunk(chunk) => Some(chunk.envelope()),
            Self::Chunked(chunked) => Some(chunked.envelope()),
            Self::Awaiting(Pending::Recipient(transaction, _)) => Some(transaction.envelope()),
            Self::Greeted(_)
            | Self::Ready(_)
            | Self::Exchange(_)
            | Self::LastWord(_)
            | Self::LoggedIn
            | Self::Vouched
            | Self::Skip(_)
            | Self::Asking(..)
            | Self::Awaiting(
                Pending::Salt(_)
                | Pending::Authenticate { .. }
                | Pending::Client(_)
                | Pending::Sender(_)
                | Pending::Commit,
            )
            | Self::Securing
            | Self::Closing => None,
        }
    }
}
