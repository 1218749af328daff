//! DATA, one of the two framings of a message's text (RFC 5321 section 4.1.1.4).

use bytes::BytesMut;

use super::context::{Closed, Context};
use super::incoming::{Framed, Incoming};
use super::phase::Phase;
use super::state::{ExpectOctets, State, Step};
use crate::body::{Dot, DotReader};
use crate::reply;
use crate::{Envelope, Settings};

/// DATA was answered with 354.
#[derive(Debug)]
pub(super) struct Text<M> {
    pub(super) incoming: Incoming<M>,
    pub(super) dots: DotReader,
}

impl<M> Text<M> {
    pub(super) fn new(message: M, envelope: Envelope, settings: &Settings) -> Self {
        Self { incoming: Incoming::new(message, envelope, settings), dots: DotReader::new() }
    }

    pub(super) fn take<U>(mut self, input: &mut BytesMut, cx: &mut Context<U>) -> Result<Step<U, M>, Closed> {
        match self.dots.next(input) {
            Dot::Text(octets) => {
                let octets = self.incoming.feed(octets, cx);
                if self.incoming.text.is_a_flood(cx) {
                    return Err(cx.close(&reply::TOO_MUCH_DISCARDED));
                }
                Ok(self.incoming.keep(octets, Framed::Dots(self.dots)))
            }
            Dot::More => Ok(Step::Wait(self.into(), Phase::Text)),
            Dot::End => self.incoming.finish(cx),
        }
    }
}

impl<U, M> From<Text<M>> for State<U, M> {
    fn from(text: Text<M>) -> Self {
        Self::Octets(ExpectOctets::Text(text))
    }
}
