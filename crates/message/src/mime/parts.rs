//! Cuts a message that arrives in chunks into header sections, content and delimiter lines.
//!
//! Both passes over a message, the survey and the rewriting, see it through this parser, so that both see the
//! same parts. Together the pieces are the message, octet for octet. Memory is bounded whatever comes: a header
//! section is gathered up to [`MAX_SECTION`], a line that may be a delimiter up to [`MAX_LINE`], and content is
//! handed on as it stands in the chunks.

use memchr::{memchr, memmem};

use super::delimiter::{OpenMultipart, Place, read_delimiter};
use super::entity::{Encoding, Entity, Kind};
use super::held_back::{DELIMITER_START, HeldBack, unfinished_start};
use super::part_fields::{is_header_line, part_fields};
use super::untouchable::Untouchable;
use super::visitor::{Delimiter, Part, SectionEnd, Visitor};
use crate::header::MAX_LINE;
use crate::section::MAX_SECTION;

/// The most entities that are told apart; what comes then is untouchable. The message itself is the first.
pub(super) const MAX_ENTITIES: u32 = 10_000;

/// The most composites around a part; what is deeper is not taken apart. Each line that begins with two hyphens is compared with
/// every boundary that is open, and no program nests deeper that is not made to.
pub(super) const MAX_DEPTH: usize = 32;

/// A message on its way through.
#[derive(Debug)]
pub(super) struct Parts {
    state: State,
    open: Vec<OpenMultipart>,
    next_index: u32,
    delimiters: memmem::Finder<'static>,
}

#[derive(Debug)]
enum State {
    /// Within a header section.
    Section(Section),
    /// Within content, a preamble or an epilogue.
    Content(HeldBack),
}

#[derive(Debug)]
struct Section {
    place: Place,
    /// The section up to here.
    gathered: Vec<u8>,
    /// Where its last line begins.
    line_start: usize,
}

const OUTERMOST: Place = Place { depth: 0, untouchable: None, in_digest: false, is_message: true };

impl Parts {
    /// The parser of a whole message.
    pub(super) fn of_message() -> Self {
        Self {
            state: State::section(OUTERMOST),
            open: Vec::new(),
            next_index: 0,
            delimiters: memmem::Finder::new(DELIMITER_START),
        }
    }

    /// The parser of what stands behind the header section of a message.
    pub(super) fn of_body(entity: Entity, visitor: &mut impl Visitor) -> Self {
        let mut parts = Self::of_message();
        parts.enter(entity, OUTERMOST, (b"", SectionEnd::BlankLine), visitor);
        parts
    }

    /// Takes the next octets of the message.
    pub(super) fn feed(&mut self, octets: &[u8], visitor: &mut impl Visitor) {
        let mut rest = octets;
        while !rest.is_empty() {
            rest = match &mut self.state {
                State::Section(_) => self.section(rest, visitor),
                State::Content(_) if self.open.is_empty() => {
                    visitor.content(rest);
                    b""
                }
                State::Content(held) if held.is_empty() => self.content(rest, visitor),
                State::Content(_) => self.candidate(rest, visitor),
            };
        }
    }

    /// The message has ended.
    pub(super) fn finish(mut self, visitor: &mut impl Visitor) {
        if matches!(&self.state, State::Section(section) if section.line_start < section.gathered.len()) {
            self.section_line(visitor);
        }
        match self.take_state() {
            State::Section(section) => {
                self.end_section(&section, section.gathered.len(), SectionEnd::Text, visitor)
            }
            State::Content(held) => self.end_content(&held, visitor),
        }
    }

    /// The message has ended within content. Where a closing delimiter is missing, readers take the end for one,
    /// so that the last CRLF is not content.
    fn end_content(&mut self, held: &HeldBack, visitor: &mut impl Visitor) {
        if self.delimiter(&held.octets, held.line(), visitor) {
            return;
        }
        match self.open.last() {
            Some(multipart) if held.octets == b"\r\n" => visitor.delimiter(&Delimiter {
                octets: b"\r\n",
                begins_own_part: false,
                untouchable: multipart.inside.untouchable,
            }),
            _ => give_content(&held.octets, visitor),
        }
    }

    /// The state, in whose place the middle of a line of content is left.
    fn take_state(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Content(HeldBack::default()))
    }

    /// Takes a line of a header section, or as much of it as there is. Returns the rest.
    fn section<'a>(&mut self, octets: &'a [u8], visitor: &mut impl Visitor) -> &'a [u8] {
        let State::Section(section) = &mut self.state else { return octets };
        let room = MAX_SECTION.saturating_sub(section.gathered.len());
        let newline = memchr(b'\n', octets.get(..room).unwrap_or(octets));
        let length = newline.map_or(octets.len().min(room), |newline| newline + 1);
        let (taken, rest) = octets.split_at_checked(length).unwrap_or((octets, b""));
        section.gathered.extend_from_slice(taken);
        if newline.is_some() {
            self.section_line(visitor);
        } else if !rest.is_empty() {
            self.give_up_section(visitor);
        }
        rest
    }

    /// Looks at the last line of a header section, which is whole.
    fn section_line(&mut self, visitor: &mut impl Visitor) {
        let State::Section(section) = &mut self.state else { return };
        let line = section.gathered.get(section.line_start..).unwrap_or_default();
        let is_delimiter = line.len() <= MAX_LINE + 2 && read_delimiter(line, &self.open).is_some();
        let is_blank = line == b"\r\n";
        if !is_blank && !is_delimiter && is_header_line(line, section.line_start == 0) {
            section.line_start = section.gathered.len();
            return;
        }
        let State::Section(section) = self.take_state() else { return };
        let line = section.gathered.get(section.line_start..).unwrap_or_default();
        let end = if is_blank {
            SectionEnd::BlankLine
        } else if is_delimiter {
            SectionEnd::Delimiter
        } else {
            SectionEnd::Text
        };
        self.end_section(&section, section.line_start, end, visitor);
        if is_delimiter {
            self.delimiter(line, line, visitor);
        } else if !is_blank {
            self.feed(line, visitor);
        }
    }

    /// The header section does not end. It is content then, of an entity without any field.
    fn give_up_section(&mut self, visitor: &mut impl Visitor) {
        let State::Section(section) = self.take_state() else { return };
        let untouchable = section.place.untouchable.or(Some(Untouchable::HeaderTooBig));
        self.enter(Entity::bare(), Place { untouchable, ..section.place }, (b"", SectionEnd::Text), visitor);
        self.feed(&section.gathered, visitor);
    }

    /// Reads the first `length` octets of a header section, and goes into the entity.
    fn end_section(&mut self, section: &Section, length: usize, end: SectionEnd, visitor: &mut impl Visitor) {
        let fields = section.gathered.get(..length).unwrap_or_default();
        let entity =
            Entity::read(part_fields(fields).map(|field| (field.name, field.value)), section.place.in_digest);
        self.enter(entity, section.place, (fields, end), visitor);
    }

    /// Goes into an entity, whose header section has ended.
    fn enter(
        &mut self,
        entity: Entity,
        place: Place,
        (section, end): (&[u8], SectionEnd),
        visitor: &mut impl Visitor,
    ) {
        let untouchable = self.untouchable(&entity, place);
        let index = self.next_index;
        self.next_index = index.saturating_add(1);
        visitor.header(&Part {
            index,
            entity: &entity,
            is_message: place.is_message,
            untouchable,
            section,
            end,
        });
        let inside = Place { depth: place.depth + 1, untouchable, in_digest: false, is_message: false };
        self.state = match entity.kind {
            _ if place.depth >= MAX_DEPTH => State::content(),
            Kind::Multipart(multipart) => {
                if let Some(boundary) = multipart.boundary {
                    let inside = Place { in_digest: multipart.is_digest, ..inside };
                    self.open.push(OpenMultipart { boundary, inside });
                }
                State::content()
            }
            Kind::Message => State::section(Place { is_message: true, ..inside }),
            Kind::Text | Kind::Data => State::content(),
        };
    }

    fn untouchable(&self, entity: &Entity, place: Place) -> Option<Untouchable> {
        let own = match &entity.kind {
            _ if place.is_message && entity.has_body_signature => Some(Untouchable::BodySigned),
            _ if self.next_index >= MAX_ENTITIES => Some(Untouchable::TooManyParts),
            Kind::Multipart(_) | Kind::Message if place.depth >= MAX_DEPTH => Some(Untouchable::TooDeep),
            Kind::Multipart(multipart) => multipart.untouchable,
            Kind::Text | Kind::Data => {
                (entity.encoding == Encoding::Uuencode).then_some(Untouchable::Uuencoded)
            }
            Kind::Message => None,
        };
        place.untouchable.or(own)
    }

    /// Takes content up to what may be a delimiter line. Returns the rest.
    fn content<'a>(&mut self, octets: &'a [u8], visitor: &mut impl Visitor) -> &'a [u8] {
        let found = self.delimiters.find(octets);
        let end = found.unwrap_or(octets.len() - unfinished_start(octets));
        let (content, rest) = octets.split_at_checked(end).unwrap_or((octets, b""));
        give_content(content, visitor);
        let (held, rest) = rest.split_at_checked(DELIMITER_START.len()).unwrap_or((rest, b""));
        self.hold_back(held);
        rest
    }

    /// Takes what may continue a delimiter line that has begun. Returns the rest.
    fn candidate<'a>(&mut self, octets: &'a [u8], visitor: &mut impl Visitor) -> &'a [u8] {
        let State::Content(held) = &mut self.state else { return octets };
        let room = held.room();
        match held.wanted() {
            Some(wanted) => match octets.split_first() {
                Some((octet, rest)) if *octet == wanted => {
                    held.octets.push(wanted);
                    rest
                }
                _ => self.release(octets, visitor),
            },
            None => match memchr(b'\n', octets.get(..room).unwrap_or(octets)) {
                Some(newline) => {
                    let (end, rest) = octets.split_at_checked(newline + 1).unwrap_or((octets, b""));
                    held.octets.extend_from_slice(end);
                    self.whole_candidate(visitor);
                    rest
                }
                None if octets.len() < room => {
                    held.octets.extend_from_slice(octets);
                    b""
                }
                None => self.release(octets, visitor),
            },
        }
    }

    /// What was held back is content. Returns `octets`, which come next.
    fn release<'a>(&mut self, octets: &'a [u8], visitor: &mut impl Visitor) -> &'a [u8] {
        if let State::Content(held) = self.take_state() {
            give_content(&held.octets, visitor);
        }
        octets
    }

    /// A line that may be a delimiter has ended. If it is none, its CRLF may belong to the next that is one.
    fn whole_candidate(&mut self, visitor: &mut impl Visitor) {
        let State::Content(held) = self.take_state() else { return };
        if self.delimiter(&held.octets, held.line(), visitor) {
            return;
        }
        match held.octets.strip_suffix(b"\r\n") {
            Some(content) => {
                give_content(content, visitor);
                self.hold_back(b"\r\n");
            }
            None => give_content(&held.octets, visitor),
        }
    }

    fn hold_back(&mut self, octets: &[u8]) {
        let State::Content(held) = &mut self.state else { return };
        held.octets.extend_from_slice(octets);
    }

    /// Acts on a line, with what stands before it, if it is a delimiter line.
    fn delimiter(&mut self, octets: &[u8], line: &[u8], visitor: &mut impl Visitor) -> bool {
        let Some(effect) = read_delimiter(line, &self.open) else { return false };
        let Some(multipart) = self.open.get(effect.level) else { return false };
        let inside = multipart.inside;
        visitor.delimiter(&Delimiter {
            octets,
            begins_own_part: !effect.closes && effect.level + 1 == self.open.len(),
            untouchable: inside.untouchable,
        });
        if effect.closes {
            self.open.truncate(effect.level);
            self.state = State::content();
        } else {
            self.open.truncate(effect.level + 1);
            self.state = State::section(inside);
        }
        true
    }
}

impl State {
    fn section(place: Place) -> Self {
        Self::Section(Section { place, gathered: Vec::new(), line_start: 0 })
    }

    fn content() -> Self {
        Self::Content(HeldBack::first_line())
    }
}

fn give_content(octets: &[u8], visitor: &mut impl Visitor) {
    if !octets.is_empty() {
        visitor.content(octets);
    }
}

#[cfg(test)]
mod tests;
