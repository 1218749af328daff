//! The text of a message on its way in, whatever its framing: repaired, counted, checked, and passed on to its message.

use bytes::Bytes;
use types::{BareLineEnds, BodyType};

use super::chunk::{Chunk, Place};
use super::context::{Closed, Context};
use super::question::Commit;
use super::ready::Ready;
use super::state::{ExpectAnswer, ExpectOctets, State, Step};
use super::text::Text;
use crate::body::{DotReader, LineEnds, TextCheck, TextFault};
use crate::limits::DISCARD_SLACK;
use crate::reply::{self, Reply};
use crate::{Envelope, Settings};

/// A message whose text is on its way in.
#[derive(Debug)]
pub(super) struct Incoming<M> {
    fate: Fate<M>,
    pub(super) text: IncomingText,
}

/// What is to become of a message.
#[derive(Debug)]
enum Fate<M> {
    /// It is passed on to this.
    Kept(M),
    /// It will be refused, so that it is passed on no more, and what was kept of it is gone.
    Spoilt(Flaw),
}

/// Why a message is refused by its text. Of several flaws the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Flaw {
    Text(TextFault),
    TooBig,
}

/// What is known of a text.
#[derive(Debug)]
pub(super) struct IncomingText {
    envelope: Envelope,
    /// Octets of what is passed on.
    size: u64,
    /// Only where bare line ends are repaired.
    line_ends: Option<LineEnds>,
    /// `None` of what was announced as binary, in which nothing is a fault.
    check: Option<TextCheck>,
}

/// How a text comes, and how far it has come.
#[derive(Debug)]
pub(super) enum Framed {
    Dots(DotReader),
    Chunk(Place),
}

/// Where a session goes on once octets are kept.
#[derive(Debug)]
pub(super) enum Behind {
    More(Framed, IncomingText),
    /// They were the end of the text.
    Commit(Envelope),
}

impl Behind {
    /// The state behind octets that `message` has kept.
    pub(super) fn with<U, M>(self, message: M) -> State<U, M> {
        match self {
            Self::More(framed, text) => framed.with(Incoming { fate: Fate::Kept(message), text }),
            Self::Commit(envelope) => State::Answer(ExpectAnswer::Commit(Commit { message, envelope })),
        }
    }
}

impl Framed {
    fn with<U, M>(self, incoming: Incoming<M>) -> State<U, M> {
        State::Octets(match self {
            Self::Dots(dots) => ExpectOctets::Text(Text { incoming, dots }),
            Self::Chunk(place) => ExpectOctets::Chunk(Chunk { incoming, place }),
        })
    }
}

impl<M> Incoming<M> {
    pub(super) fn new(message: M, envelope: Envelope, settings: &Settings) -> Self {
        Self { fate: Fate::Kept(message), text: IncomingText::new(envelope, settings) }
    }

    /// Takes the next piece of the text, and says what of it is to be passed on.
    pub(super) fn feed<U>(&mut self, octets: Bytes, cx: &Context<U>) -> Bytes {
        let octets = self.text.feed(octets);
        self.judge(cx);
        octets
    }

    fn judge<U>(&mut self, cx: &Context<U>) {
        if let Some(flaw) = self.text.flaw(cx) {
            self.fate = Fate::Spoilt(flaw);
        }
    }

    /// Has `octets` kept before more of the text is taken.
    pub(super) fn keep<U>(self, octets: Bytes, framed: Framed) -> Step<U, M> {
        match self.fate {
            Fate::Kept(message) if !octets.is_empty() => {
                Step::Keep(message, octets, Behind::More(framed, self.text))
            }
            fate @ (Fate::Kept(_) | Fate::Spoilt(_)) => {
                Step::Next(framed.with(Self { fate, text: self.text }))
            }
        }
    }

    /// The text has ended. Text in chunks may lack its last CRLF, without which it could not be sent on; what is binary is no text.
    pub(super) fn finish<U>(mut self, cx: &mut Context<U>) -> Result<Step<U, M>, Closed> {
        let rest = self.text.finish();
        self.judge(cx);
        match self.fate {
            Fate::Spoilt(flaw) => cx.fault(&Reply::from(flaw), Ready.into()).map(Step::Next),
            Fate::Kept(message) => {
                let octets = self.text.end(rest);
                let envelope = self.text.into_envelope();
                Ok(if octets.is_empty() {
                    Step::Next(State::Answer(ExpectAnswer::Commit(Commit { message, envelope })))
                } else {
                    Step::Keep(message, octets, Behind::Commit(envelope))
                })
            }
        }
    }
}

impl IncomingText {
    fn new(envelope: Envelope, settings: &Settings) -> Self {
        // RFC 3030 section 3: what is announced as binary is taken octet for octet.
        if envelope.body == BodyType::Binary {
            return Self { envelope, size: 0, line_ends: None, check: None };
        }
        let line_ends = match settings.bare_line_ends {
            BareLineEnds::Refuse => None,
            BareLineEnds::Repair => Some(LineEnds::default()),
        };
        Self { envelope, size: 0, line_ends, check: Some(TextCheck::new(settings.long_lines)) }
    }

    fn feed(&mut self, octets: Bytes) -> Bytes {
        let octets = match &mut self.line_ends {
            Some(line_ends) => line_ends.feed(octets),
            None => octets,
        };
        self.pass(octets)
    }

    /// What the repair of line ends has left for the end, if anything: a line end.
    fn finish(&mut self) -> Bytes {
        let rest = self.line_ends.as_mut().map_or_else(Bytes::new, LineEnds::finish);
        let rest = self.pass(rest);
        self.check.as_mut().map(TextCheck::finish);
        rest
    }

    fn pass(&mut self, octets: Bytes) -> Bytes {
        self.size = self.size.saturating_add(octets.len() as u64);
        if let Some(check) = &mut self.check {
            check.feed(&octets);
        }
        octets
    }

    /// The last octets of the text: what the repair has left, or the line end that is missing.
    fn end(&self, rest: Bytes) -> Bytes {
        let lacks_line_end = self.check.as_ref().is_some_and(|check| !check.at_line_start());
        if rest.is_empty() && lacks_line_end { Bytes::from_static(b"\r\n") } else { rest }
    }

    /// Octets of the text that have come.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    fn flaw<U>(&self, cx: &Context<U>) -> Option<Flaw> {
        if self.is_too_big(cx) { Some(Flaw::TooBig) } else { self.check.as_ref()?.fault().map(Flaw::Text) }
    }

    pub(super) fn is_too_big<U>(&self, cx: &Context<U>) -> bool {
        self.size > cx.capabilities().message_size()
    }

    /// So much is too much even to throw away.
    pub(super) fn is_a_flood<U>(&self, cx: &Context<U>) -> bool {
        self.size > cx.capabilities().message_size().saturating_mul(2).saturating_add(DISCARD_SLACK)
    }

    /// The envelope, with what is known of the text now that it has ended. What was declared may be more than is needed: many
    /// clients say `BODY=8BITMIME` of all their mail.
    fn into_envelope(self) -> Envelope {
        Envelope {
            body: match &self.check {
                None => BodyType::Binary,
                Some(check) if check.eight_bit() => BodyType::EightBit,
                Some(_) => BodyType::SevenBit,
            },
            repaired_line_ends: self.line_ends.is_some_and(|line_ends| line_ends.repaired()),
            ..self.envelope
        }
    }
}

impl From<Flaw> for Reply {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Text(fault) => Self::from(fault),
            Flaw::TooBig => reply::TOO_BIG,
        }
    }
}
