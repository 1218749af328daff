//! The text of a message: counted, checked, and passed on; and DATA, one of its two framings.

use bytes::{Bytes, BytesMut};
use types::BodyType;

use super::context::Context;
use super::question::{Pending, Question};
use super::ready::Ready;
use super::transaction::Transaction;
use super::{Advance, State};
use crate::Envelope;
use crate::body::{Dot, DotReader, TextCheck};
use crate::limits::DISCARD_SLACK;
use crate::reply::{self, Reply};

/// A message whose text is on its way in.
#[derive(Debug)]
pub(super) struct Incoming {
    transaction: Transaction,
    size: u64,
    check: TextCheck,
    /// The message will be refused, so that its text is passed on no more.
    lost: bool,
}

impl Incoming {
    pub(super) fn new(transaction: Transaction) -> Self {
        Self { transaction, size: 0, check: TextCheck::default(), lost: false }
    }

    pub(super) fn envelope(&self) -> &Envelope {
        self.transaction.envelope()
    }

    /// Counts and checks a piece of the text; gives it back if it is to be passed on.
    pub(super) fn feed(&mut self, octets: Bytes, cx: &mut Context) -> Option<Advance> {
        self.size = self.size.saturating_add(octets.len() as u64);
        self.check.feed(&octets);
        if !self.lost && (self.is_too_big(cx) || self.check.fault().is_some()) {
            self.lost = true;
            cx.discard();
        }
        (!self.lost).then_some(Advance::Body(octets))
    }

    pub(super) fn is_too_big(&self, cx: &Context) -> bool {
        self.size > cx.settings.message_size
    }

    /// So much is too much even to throw away.
    pub(super) fn is_a_flood(&self, cx: &Context) -> bool {
        self.size > cx.settings.message_size.saturating_mul(2).saturating_add(DISCARD_SLACK)
    }

    /// The text has ended. Text in chunks may lack its last CRLF, without which it could not be sent on.
    pub(super) fn finish(mut self, cx: &mut Context) -> (State, Option<Advance>) {
        if self.is_too_big(cx) {
            return (cx.say_then(&reply::TOO_BIG, State::Ready(Ready)), None);
        }
        if let Some(fault) = self.check.finish() {
            if !self.lost {
                cx.discard();
            }
            return (cx.say_then(&Reply::from(fault), State::Ready(Ready)), None);
        }
        let line_end = (!self.check.at_line_start()).then(|| Advance::Body(Bytes::from_static(b"\r\n")));
        let mut envelope = self.transaction.into_envelope();
        if self.check.eight_bit() {
            envelope.body = BodyType::EightBit;
        }
        (State::Asking(Question::Commit(envelope), Pending::Commit), line_end)
    }
}

/// DATA was answered with 354.
#[derive(Debug)]
pub(super) struct Text {
    incoming: Incoming,
    dots: DotReader,
}

impl Text {
    pub(super) fn new(transaction: Transaction) -> Self {
        Self { incoming: Incoming::new(transaction), dots: DotReader::new() }
    }

    pub(super) fn envelope(&self) -> &Envelope {
        self.incoming.envelope()
    }

    pub(super) fn take(mut self, input: &mut BytesMut, cx: &mut Context) -> (State, Option<Advance>) {
        match self.dots.next(input) {
            Dot::Text(octets) => {
                let advance = self.incoming.feed(octets, cx);
                if self.incoming.is_a_flood(cx) {
                    return (cx.close(&reply::TOO_MUCH_DISCARDED), None);
                }
                (State::Text(self), advance)
            }
            Dot::More => (State::Text(self), Some(Advance::Input)),
            Dot::End => self.incoming.finish(cx),
        }
    }
}
