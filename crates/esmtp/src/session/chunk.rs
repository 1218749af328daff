//! BDAT, the other framing of text (RFC 3030 section 2). The octets of a chunk are never looked at for commands:
//! whatever is wrong, exactly as many are taken as were announced, and then the reply is given.

use bytes::BytesMut;

use super::context::{Closed, Context};
use super::incoming::{Framed, Incoming};
use super::phase::Phase;
use super::state::{ExpectCommand, ExpectOctets, Next, State, Step};
use super::xclient;
use crate::Envelope;
use crate::command::Ordered;
use crate::limits::{CHUNK_AVERAGE, CHUNKS, DISCARD_SLACK};
use crate::reply::{self, Reply};

/// A chunk of a message is on its way in.
#[derive(Debug)]
pub(super) struct Chunk<M> {
    pub(super) incoming: Incoming<M>,
    pub(super) place: Place,
}

/// Which chunk of its message it is, and how much of it is to come.
#[derive(Debug)]
pub(super) struct Place {
    number: u64,
    size: u64,
    left: u64,
    last: bool,
}

/// Chunks were taken, and more must follow.
#[derive(Debug)]
pub(super) struct Chunked<M> {
    incoming: Incoming<M>,
    chunks: u64,
}

/// A chunk that nobody wants, the reply to it, and where the session stands behind it.
#[derive(Debug)]
pub(super) struct Skip<M> {
    left: u64,
    refusal: Reply,
    next: ExpectCommand<M>,
}

impl<M> Chunk<M> {
    pub(super) fn first<U>(
        message: M,
        envelope: Envelope,
        size: u64,
        last: bool,
        cx: &mut Context<U>,
    ) -> Next<U, M> {
        Self::begin(Incoming::new(message, envelope, &cx.settings), 1, size, last, cx)
    }

    fn begin<U>(
        incoming: Incoming<M>,
        number: u64,
        size: u64,
        last: bool,
        cx: &mut Context<U>,
    ) -> Next<U, M> {
        if number > CHUNKS + incoming.text.size() / CHUNK_AVERAGE {
            return Err(cx.close(&reply::TOO_MANY_CHUNKS));
        }
        if is_too_big_to_skip(size, cx) {
            return Err(cx.close(&reply::TOO_BIG));
        }
        let place = Place { number, size, left: size, last };
        Ok(State::Octets(ExpectOctets::Chunk(Self { incoming, place })))
    }

    pub(super) fn take<U>(mut self, input: &mut BytesMut, cx: &mut Context<U>) -> Result<Step<U, M>, Closed> {
        if self.place.left == 0 {
            return self.end(cx);
        }
        if input.is_empty() {
            return Ok(Step::Wait(State::Octets(ExpectOctets::Chunk(self)), Phase::Text));
        }
        let octets = take_up_to(&mut self.place.left, input).freeze();
        let octets = self.incoming.feed(octets, cx);
        Ok(self.incoming.keep(octets, Framed::Chunk(self.place)))
    }

    fn end<U>(self, cx: &mut Context<U>) -> Result<Step<U, M>, Closed> {
        if self.place.last || self.incoming.text.is_too_big(cx) {
            return self.incoming.finish(cx);
        }
        let chunked = Chunked { incoming: self.incoming, chunks: self.place.number };
        cx.say_then(&Reply::chunk_received(self.place.size), Step::Next(chunked.into()))
    }
}

impl<M> Chunked<M> {
    pub(super) fn on<U>(self, command: Ordered, cx: &mut Context<U>) -> Next<U, M> {
        match command {
            Ordered::Bdat { size, last } => Chunk::begin(self.incoming, self.chunks + 1, size, last, cx),
            Ordered::StartTls | Ordered::Auth { .. } => cx.fault(&reply::NOT_IN_TRANSACTION, self.into()),
            Ordered::Xclient(_) => xclient::in_transaction(ExpectCommand::Chunked(self), cx),
            Ordered::Mail(..) | Ordered::Rcpt { .. } | Ordered::Data => {
                cx.fault(&reply::CHUNKS_FOLLOW, self.into())
            }
        }
    }
}

impl<U, M> From<Chunked<M>> for State<U, M> {
    fn from(chunked: Chunked<M>) -> Self {
        ExpectCommand::Chunked(chunked).into()
    }
}

impl<M> Skip<M> {
    /// Takes a chunk of `size` octets, then refuses it.
    pub(super) fn chunk<U>(
        size: u64,
        refusal: Reply,
        next: ExpectCommand<M>,
        cx: &mut Context<U>,
    ) -> Next<U, M> {
        if is_too_big_to_skip(size, cx) {
            return Err(cx.close(&refusal));
        }
        Ok(State::Octets(ExpectOctets::Skip(Self { left: size, refusal, next })))
    }

    pub(super) fn take<U>(mut self, input: &mut BytesMut, cx: &mut Context<U>) -> Result<Step<U, M>, Closed> {
        let _ = take_up_to(&mut self.left, input);
        if self.left == 0 {
            return cx.fault(&self.refusal, Step::Next(self.next.into()));
        }
        Ok(Step::Wait(State::Octets(ExpectOctets::Skip(self)), Phase::Refused))
    }
}

/// Nobody waits for the end of such a chunk; the connection is closed instead.
fn is_too_big_to_skip<U>(size: u64, cx: &Context<U>) -> bool {
    size > cx.capabilities().message_size().saturating_add(DISCARD_SLACK)
}

fn take_up_to(left: &mut u64, input: &mut BytesMut) -> BytesMut {
    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
    *left -= length as u64;
    input.split_to(length)
}
