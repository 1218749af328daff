//! The text of a message: repaired, counted, checked, and passed on; and DATA, one of its two framings.

use bytes::{Bytes, BytesMut};
use types::{BareLineEnds, BodyType};

use super::context::Context;
use super::question::{Pending, Question};
use super::ready::Ready;
use super::transaction::Transaction;
use super::{Advance, State};
use crate::body::{Dot, DotReader, LineEnds, TextCheck};
use crate::limits::DISCARD_SLACK;
use crate::reply::{self, Reply};
use crate::{Envelope, Settings};

/// A message whose text is on its way in.
#[derive(Debug)]
pub(super) struct Incoming {
    transaction: Transaction,
    /// Of what is passed on.
    size: u64,
    /// Only where bare line ends are repaired.
    line_ends: Option<LineEnds>,
    check: TextCheck,
    /// The message will be refused, so that its text is passed on no more.
    lost: bool,
}

impl Incoming {
    pub(super) fn new(transaction: Transaction, settings: &Settings) -> Self {
        let line_ends = match settings.bare_line_ends {
            BareLineEnds::Refuse => None,
            BareLineEnds::Repair => Some(LineEnds::default()),
        };
        Self { transaction, size: 0, line_ends, check: TextCheck::new(settings.long_lines), lost: false }
    }

    pub(super) fn envelope(&self) -> &Envelope {
        self.transaction.envelope()
    }

    /// Takes the next piece of the text; what of it is to be passed on.
    pub(super) fn feed(&mut self, octets: Bytes, cx: &mut Context) -> Option<Advance> {
        let octets = match &mut self.line_ends {
            Some(line_ends) => line_ends.feed(octets),
            None => octets,
        };
        self.pass(octets, cx)
    }

    /// Counts and checks a piece of the text; gives it back if it is to be passed on.
    fn pass(&mut self, octets: Bytes, cx: &mut Context) -> Option<Advance> {
        self.size = self.size.saturating_add(octets.len() as u64);
        self.check.feed(&octets);
        if !self.lost && (self.is_too_big(cx) || self.check.fault().is_some()) {
            self.lost = true;
            cx.discard();
        }
        (!self.lost && !octets.is_empty()).then_some(Advance::Body(octets))
    }

    /// Octets of the text that have come.
    pub(super) fn size(&self) -> u64 {
        self.size
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
        let rest = self.line_ends.as_mut().map_or_else(Bytes::new, LineEnds::finish);
        let rest = self.pass(rest, cx);
        if self.is_too_big(cx) {
            return (cx.fault(&reply::TOO_BIG, State::Ready(Ready)), None);
        }
        if let Some(fault) = self.check.finish() {
            if !self.lost {
                cx.discard();
            }
            return (cx.fault(&Reply::from(fault), State::Ready(Ready)), None);
        }
        let line_end = (!self.check.at_line_start()).then(|| Advance::Body(Bytes::from_static(b"\r\n")));
        let envelope = self.into_envelope();
        // What the repair of line ends leaves for the end is a line end itself.
        (State::Asking(Question::Commit(envelope), Pending::Commit), rest.or(line_end))
    }

    /// The envelope, with what is known of the text now that it has ended. What was declared may be more than is needed: many
    /// clients say `BODY=8BITMIME` of all their mail.
    fn into_envelope(self) -> Envelope {
        Envelope {
            body: if self.check.eight_bit() { BodyType::EightBit } else { BodyType::SevenBit },
            repaired_line_ends: self.line_ends.is_some_and(|line_ends| line_ends.repaired()),
            ..self.transaction.into_envelope()
        }
    }
}

/// DATA was answered with 354.
#[derive(Debug)]
pub(super) struct Text {
    incoming: Incoming,
    dots: DotReader,
}

impl Text {
    pub(super) fn new(transaction: Transaction, settings: &Settings) -> Self {
        Self { incoming: Incoming::new(transaction, settings), dots: DotReader::new() }
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
