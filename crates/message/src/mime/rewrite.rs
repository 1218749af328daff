//! Re-encodes a stored message on its way to the next host.

use std::borrow::Cow;

use super::base64_lines::{Base64, WrappedBase64};
use super::entity::{Encoding, Entity, Kind};
use super::header_edit::HeaderEdit;
use super::line_length::has_long_line;
use super::parts::Parts;
use super::plan::{Leaf, Plan, Target};
use super::quoted_printable::QuotedPrintable;
use super::soft_breaks::SoftBreaks;
use super::surrounding_text::SurroundingText;
use super::survey::Survey;
use super::untouchable::Untouchable;
use super::visitor::{Delimiter, Part, SectionEnd, Visitor};
use crate::field_repair::{repair_fields, repair_section};
use crate::repairs::Repairs;

/// A message that is changed, as its plan has it, while it streams by. What needs no change stays octet for
/// octet.
#[derive(Debug)]
pub struct Rewriter {
    parts: Parts,
    writer: Writer,
}

impl Rewriter {
    /// The rewriter of the message whose survey made the plan.
    #[must_use]
    pub fn new(plan: Plan) -> Self {
        let writer = Writer { plan, next_leaf: 0, coder: Coder::Copy, at_line_start: true };
        Self { parts: Parts::of_message(), writer }
    }

    /// A whole message that was sent as `BODY=BINARYMIME`, as a host with 8BITMIME alone can take it.
    ///
    /// # Errors
    /// [`Untouchable`], if something would have to be changed that may not.
    pub fn text_of(message: &[u8]) -> Result<Vec<u8>, Untouchable> {
        let mut survey = Survey::of_message().of_octets();
        survey.feed(message);
        let mut rewriter = Self::new(survey.finish().plan(Target::EightBit)?);
        let mut text = Vec::with_capacity(message.len());
        rewriter.feed(message, &mut text);
        rewriter.finish(&mut text);
        Ok(text)
    }

    /// Takes the next octets of the whole message, cut anywhere, and appends what leaves for them.
    pub fn feed(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        if !self.writer.plan.changes {
            return out.extend_from_slice(octets);
        }
        let before = out.len();
        self.parts.feed(octets, &mut Output { writer: &mut self.writer, out });
        self.writer.note_line_end(out, before);
    }

    /// The message has ended. Appends the rest.
    pub fn finish(mut self, out: &mut Vec<u8>) {
        if !self.writer.plan.changes {
            return;
        }
        let before = out.len();
        self.parts.finish(&mut Output { writer: &mut self.writer, out });
        let is_base64 = self.writer.coder.encoding() == Some("base64");
        // So that the end of the last line, which text must have, is not content.
        let ends_softly = matches!(self.writer.coder, Coder::QuotedPrintable(_));
        self.writer.end_content(out);
        if is_base64 {
            out.extend_from_slice(b"\r\n");
        }
        self.writer.note_line_end(out, before);
        if self.writer.plan.from_binary && !self.writer.at_line_start {
            out.extend_from_slice(if ends_softly { b"=\r\n" } else { b"\r\n" });
        }
    }
}

#[derive(Debug)]
struct Writer {
    plan: Plan,
    /// The place in the plan of the first part that has not come yet.
    next_leaf: usize,
    coder: Coder,
    /// Whether what was written last ended a line.
    at_line_start: bool,
}

/// What becomes of the content that comes.
#[derive(Debug)]
enum Coder {
    Copy,
    SurroundingText(SurroundingText),
    QuotedPrintable(QuotedPrintable),
    SoftBreaks(SoftBreaks),
    Base64(Base64),
    WrappedBase64(WrappedBase64),
}

/// A writer with the buffer that takes what it writes.
struct Output<'a> {
    writer: &'a mut Writer,
    out: &'a mut Vec<u8>,
}

impl Visitor for Output<'_> {
    fn header(&mut self, part: &Part<'_>) {
        let leaf = self.writer.take_leaf(part.index);
        self.writer.coder = match (leaf, &part.entity.kind) {
            (Some(_), _) => Coder::of_leaf(part.entity),
            (None, Kind::Multipart(_)) => self.writer.surrounding_text(part.untouchable),
            (None, Kind::Text | Kind::Data | Kind::Message) => Coder::Copy,
        };
        let section = self.writer.repaired_section(part);
        self.writer.edit(part, leaf).write(&section, self.out);
        if part.end == SectionEnd::BlankLine || leaf.is_some() || self.writer.begins_message(part) {
            self.out.extend_from_slice(b"\r\n");
        }
    }

    fn content(&mut self, octets: &[u8]) {
        self.writer.coder.feed(octets, self.out);
    }

    fn delimiter(&mut self, delimiter: &Delimiter<'_>) {
        self.writer.end_content(self.out);
        self.out.extend_from_slice(delimiter.octets);
        self.writer.coder = self.writer.surrounding_text(delimiter.untouchable);
    }
}

impl Writer {
    fn take_leaf(&mut self, index: u32) -> Option<Leaf> {
        let leaf = self.plan.leaves.get(self.next_leaf).copied().filter(|leaf| leaf.index == index)?;
        self.next_leaf += 1;
        Some(leaf)
    }

    /// Whether the message within gets a header section, which must not run on from that of the part. Without a
    /// blank line before it, it began with its text.
    fn begins_message(&self, part: &Part<'_>) -> bool {
        let next = self.plan.leaves.get(self.next_leaf);
        part.entity.kind == Kind::Message
            && part.end != SectionEnd::Delimiter
            && next.is_some_and(|leaf| leaf.index == part.index.saturating_add(1))
    }

    /// The header section of the message itself was repaired when it came in, but for what hosts with SMTPUTF8 take.
    fn repaired_section<'a>(&self, part: &Part<'a>) -> Cow<'a, [u8]> {
        let section = part.section;
        let may_be_repaired = part.index > 0 && part.untouchable.is_none();
        if may_be_repaired && (!section.is_ascii() || has_long_line(section)) {
            repair_fields(section)
        } else if part.index == 0 && self.plan.encodes_header {
            repair_section(section, &mut Repairs::default()).map_or(Cow::Borrowed(section), Cow::Owned)
        } else {
            Cow::Borrowed(section)
        }
    }

    fn edit(&self, part: &Part<'_>, leaf: Option<Leaf>) -> HeaderEdit {
        let encoding = self.coder.encoding().or_else(|| self.relabels(part));
        // RFC 2045 section 4: without it the fields of the whole message mean nothing.
        let writes_mime_fields = encoding.is_some() || (part.index == 0 && !self.plan.leaves.is_empty());
        HeaderEdit {
            encoding,
            charset: leaf.and_then(|leaf| leaf.charset),
            adds_mime_version: part.is_message && !part.entity.has_mime_version && writes_mime_fields,
        }
    }

    /// The encoding of something that says that it has octets which it will not have.
    fn relabels(&self, part: &Part<'_>) -> Option<&'static str> {
        if part.untouchable.is_some() {
            return None;
        }
        match self.plan.target {
            Target::SevenBit => part.entity.declares_eight_bit.then_some("7bit"),
            Target::EightBit => (self.plan.from_binary && part.entity.declares_binary).then_some("8bit"),
        }
    }

    fn surrounding_text(&self, untouchable: Option<Untouchable>) -> Coder {
        match untouchable {
            Some(_) => Coder::Copy,
            None => Coder::SurroundingText(SurroundingText::new(self.plan.target)),
        }
    }

    /// Looks at what was written behind the first `before` octets.
    fn note_line_end(&mut self, out: &[u8], before: usize) {
        if out.len() > before {
            self.at_line_start = out.ends_with(b"\n");
        }
    }

    fn end_content(&mut self, out: &mut Vec<u8>) {
        std::mem::replace(&mut self.coder, Coder::Copy).finish(out);
    }
}

impl Coder {
    /// What re-encodes a part. Text stays readable; an encoding that is there already is kept.
    fn of_leaf(entity: &Entity) -> Self {
        match entity.encoding {
            Encoding::QuotedPrintable => Self::SoftBreaks(SoftBreaks::default()),
            Encoding::Base64 => Self::WrappedBase64(WrappedBase64::default()),
            Encoding::Identity | Encoding::Uuencode if entity.kind == Kind::Text => {
                Self::QuotedPrintable(QuotedPrintable::default())
            }
            Encoding::Identity | Encoding::Uuencode => Self::Base64(Base64::default()),
        }
    }

    /// The Content-Transfer-Encoding of what it writes.
    fn encoding(&self) -> Option<&'static str> {
        match self {
            Self::Copy | Self::SurroundingText(_) => None,
            Self::QuotedPrintable(_) | Self::SoftBreaks(_) => Some("quoted-printable"),
            Self::Base64(_) | Self::WrappedBase64(_) => Some("base64"),
        }
    }

    fn feed(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Copy => out.extend_from_slice(octets),
            Self::SurroundingText(coder) => coder.feed(octets, out),
            Self::QuotedPrintable(coder) => coder.feed(octets, out),
            Self::SoftBreaks(coder) => coder.feed(octets, out),
            Self::Base64(coder) => coder.feed(octets, out),
            Self::WrappedBase64(coder) => coder.feed(octets, out),
        }
    }

    /// Writes what was kept back. Base64 is left without its last CRLF, which is that of a delimiter line.
    fn finish(self, out: &mut Vec<u8>) {
        match self {
            Self::QuotedPrintable(coder) => coder.finish(out),
            Self::SoftBreaks(coder) => coder.finish(out),
            Self::Base64(coder) => coder.finish(out),
            Self::SurroundingText(coder) => coder.finish(out),
            Self::Copy | Self::WrappedBase64(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
