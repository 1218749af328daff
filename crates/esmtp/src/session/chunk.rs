//! BDAT, the other framing of text (RFC 3030 section 2). The octets of a chunk are never looked at for commands:
//! whatever is wrong, exactly as many are taken as were announced, and then the reply is given.

use bytes::BytesMut;

use super::context::Context;
use super::text::Incoming;
use super::transaction::Transaction;
use super::xclient;
use super::{Advance, State};
use crate::Envelope;
use crate::command::Ordered;
use crate::limits::{CHUNK_AVERAGE, CHUNKS, DISCARD_SLACK};
use crate::reply::{self, Reply};

/// A chunk of a message is on its way in.
#[derive(Debug)]
pub(super) struct Chunk {
    incoming: Incoming,
    number: u64,
    size: u64,
    left: u64,
    last: bool,
}

/// Chunks were taken, and more must follow.
#[derive(Debug)]
pub(super) struct Chunked {
    incoming: Incoming,
    chunks: u64,
}

/// A chunk that nobody wants, the reply to it, and where the session stands behind it.
#[derive(Debug)]
pub(super) struct Skip {
    left: u64,
    refusal: Reply,
    next: Box<State>,
}

impl Chunk {
    pub(super) fn first(transaction: Transaction, size: u64, last: bool, cx: &mut Context) -> State {
        Self::begin(Incoming::new(transaction, &cx.settings), 1, size, last, cx)
    }

    fn begin(incoming: Incoming, number: u64, size: u64, last: bool, cx: &mut Context) -> State {
        if number > CHUNKS + incoming.size() / CHUNK_AVERAGE {
            return cx.close(&reply::TOO_MANY_CHUNKS);
        }
        if is_too_big_to_skip(size, cx) {
            return cx.close(&reply::TOO_BIG);
        }
        State::Chunk(Self { incoming, number, size, left: size, last })
    }

    pub(super) fn envelope(&self) -> &Envelope {
        self.incoming.envelope()
    }

    pub(super) fn take(mut self, input: &mut BytesMut, cx: &mut Context) -> (State, Option<Advance>) {
        if self.left == 0 {
            return self.end(cx);
        }
        if input.is_empty() {
            return (State::Chunk(self), Some(Advance::Input));
        }
        let octets = take_up_to(&mut self.left, input).freeze();
        let advance = self.incoming.feed(octets, cx);
        (State::Chunk(self), advance)
    }

    fn end(self, cx: &mut Context) -> (State, Option<Advance>) {
        if self.last || self.incoming.is_too_big(cx) {
            return self.incoming.finish(cx);
        }
        cx.say(&Reply::chunk_received(self.size));
        (State::Chunked(Chunked { incoming: self.incoming, chunks: self.number }), None)
    }
}

impl Chunked {
    pub(super) fn envelope(&self) -> &Envelope {
        self.incoming.envelope()
    }

    pub(super) fn on(self, command: Ordered, cx: &mut Context) -> State {
        match command {
            Ordered::Bdat { size, last } => Chunk::begin(self.incoming, self.chunks + 1, size, last, cx),
            Ordered::StartTls | Ordered::Auth { .. } => {
                cx.fault(&reply::NOT_IN_TRANSACTION, State::Chunked(self))
            }
            Ordered::Xclient(_) => xclient::in_transaction(State::Chunked(self), cx),
            Ordered::Mail(..) | Ordered::Rcpt(_) | Ordered::Data => {
                cx.fault(&reply::CHUNKS_FOLLOW, State::Chunked(self))
            }
        }
    }
}

impl Skip {
    /// Refuses a command, behind its chunk if it has one.
    pub(super) fn behind(command: Ordered, here: State, refusal: Reply, cx: &mut Context) -> State {
        match command {
            Ordered::Bdat { size, .. } => Self::chunk(size, refusal, here, cx),
            Ordered::StartTls
            | Ordered::Auth { .. }
            | Ordered::Xclient(_)
            | Ordered::Mail(..)
            | Ordered::Rcpt(_)
            | Ordered::Data => cx.say_then(&refusal, here),
        }
    }

    /// Takes a chunk of `size` octets, then refuses it.
    pub(super) fn chunk(size: u64, refusal: Reply, next: State, cx: &mut Context) -> State {
        if is_too_big_to_skip(size, cx) {
            return cx.close(&refusal);
        }
        State::Skip(Self { left: size, refusal, next: Box::new(next) })
    }

    pub(super) fn take(mut self, input: &mut BytesMut, cx: &mut Context) -> (State, Option<Advance>) {
        let _ = take_up_to(&mut self.left, input);
        if self.left == 0 {
            return (cx.fault(&self.refusal, *self.next), None);
        }
        (State::Skip(self), Some(Advance::Input))
    }
}

/// Nobody waits for the end of such a chunk; the connection is closed instead.
fn is_too_big_to_skip(size: u64, cx: &Context) -> bool {
    size > cx.settings.message_size.saturating_add(DISCARD_SLACK)
}

fn take_up_to(left: &mut u64, input: &mut BytesMut) -> BytesMut {
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    *left -= length as u64;
    input.split_to(length)
}
