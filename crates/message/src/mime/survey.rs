//! Finds out, from a message that streams by, what has to be re-encoded before it leaves.

use std::borrow::Cow;

use super::binary::{BinaryOctets, has_binary_octets};
use super::entity::{Entity, Kind};
use super::line_length::{LineLength, has_long_line};
use super::parts::Parts;
use super::plan::{Leaf, Plan, Target};
use super::untouchable::Untouchable;
use super::utf8::Utf8;
use super::visitor::{Delimiter, Part, Visitor};
use crate::field_repair::{repair_fields, repair_section};
use crate::header::Header;
use crate::repairs::Repairs;

/// A look at a message under way, which keeps no more of it than a header section.
#[derive(Debug)]
pub struct Survey {
    parts: Parts,
    findings: Findings,
    /// Whether the last octet ended a line, or none has come.
    at_line_start: bool,
}

/// The result of a survey.
#[derive(Debug)]
pub struct Surveyed {
    /// It may have any octets.
    of_octets: bool,
    eight_bit: bool,
    long_line: bool,
    /// There are octets that no text made of lines has, or something is said to be binary.
    binary: bool,
    raw_part_header: bool,
    /// The header section of the message itself can be written in ASCII.
    header_can_be_ascii: bool,
    untouchable_eight_bit: Option<Untouchable>,
    /// Of what no host without BINARYMIME can take.
    untouchable_no_text: Option<Untouchable>,
    leaves: Vec<Leaf>,
}

impl Survey {
    /// The survey of a body, which stands behind this header section. Takes octets of the body alone.
    #[must_use]
    pub fn of_body(header: &Header<'_>) -> Self {
        let fields = header.fields().map(|field| (field.name().as_bytes(), field.value().as_bytes()));
        let entity = Entity::read(fields, false);
        let mut findings = Findings::default();
        Self { parts: Parts::of_body(entity, &mut findings), findings, at_line_start: true }
    }

    /// The survey of a whole message, its header section first.
    #[must_use]
    pub fn of_message() -> Self {
        Self { parts: Parts::of_message(), findings: Findings::default(), at_line_start: true }
    }

    /// The same survey of what was sent as `BODY=BINARYMIME`, and so may have any octets (RFC 3030 section 3). All else is lines, which was
    /// seen to when it came.
    #[must_use]
    pub fn of_octets(mut self) -> Self {
        self.findings.found.of_octets = true;
        self
    }

    /// Takes the next octets, cut anywhere. Their lines end with CRLF, unless it is a survey [of octets](Self::of_octets).
    pub fn feed(&mut self, octets: &[u8]) {
        self.at_line_start = octets.last().map_or(self.at_line_start, |last| *last == b'\n');
        self.parts.feed(octets, &mut self.findings);
    }

    /// The message has ended; its last line may lack its CRLF.
    #[must_use]
    pub fn finish(mut self) -> Surveyed {
        self.parts.finish(&mut self.findings);
        self.findings.end_message(self.at_line_start);
        self.findings.found
    }
}

impl Surveyed {
    /// Whether the body, headers of parts included, has octets above 127.
    #[must_use]
    pub fn eight_bit(&self) -> bool {
        self.eight_bit
    }

    /// Whether hosts with BINARYMIME alone can take the message as it is: it was sent as binary, and is more than lines.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        self.of_octets && (self.binary || self.long_line)
    }

    /// Whether the header section of a [whole message](Survey::of_message) can be written in ASCII, if it has octets above 127: none are within
    /// an address, or signed.
    #[must_use]
    pub fn header_can_be_ascii(&self) -> bool {
        self.header_can_be_ascii
    }

    /// Whether no next host without BINARYMIME can take the message as it is.
    #[must_use]
    pub fn must_be_rewritten(&self) -> bool {
        self.long_line || self.raw_part_header
    }

    /// Whether a line of the body is longer than [`MAX_LINE`](crate::MAX_LINE), other than in the header of a
    /// part that can be repaired.
    #[must_use]
    pub fn has_long_line(&self) -> bool {
        self.long_line
    }

    /// Whether the header of a part has raw octets or long lines, and may be repaired.
    #[must_use]
    pub fn has_raw_part_header(&self) -> bool {
        self.raw_part_header
    }

    /// What is to be changed for a next host.
    ///
    /// # Errors
    /// [`Untouchable`], if something would have to be changed that may not.
    pub fn plan(&self, target: Target) -> Result<Plan, Untouchable> {
        let seven_bit = target == Target::SevenBit;
        let untouchable_eight_bit = self.untouchable_eight_bit.filter(|_| seven_bit);
        if let Some(untouchable) = self.untouchable_no_text.or(untouchable_eight_bit) {
            return Err(untouchable);
        }
        let leaves = self.leaves.iter().filter(|leaf| seven_bit || leaf.is_no_text);
        Ok(Plan {
            target,
            changes: self.must_be_rewritten() || self.is_binary() || (seven_bit && self.eight_bit),
            from_binary: self.of_octets,
            encodes_header: false,
            leaves: leaves.copied().collect(),
        })
    }
}

/// What was found so far.
#[derive(Debug)]
struct Findings {
    found: Surveyed,
    region: Region,
    text: Text,
}

/// What stands between two header sections or delimiter lines.
#[derive(Debug)]
struct Region {
    kind: RegionKind,
    untouchable: Option<Untouchable>,
}

#[derive(Debug)]
enum RegionKind {
    Leaf {
        index: u32,
        /// Its Content-Transfer-Encoding is binary, so that the end of its last line is content.
        declares_binary: bool,
    },
    Preamble,
    /// The text behind the last part of a multipart.
    Epilogue,
}

impl Default for Findings {
    fn default() -> Self {
        Self {
            found: Surveyed {
                of_octets: false,
                eight_bit: false,
                long_line: false,
                binary: false,
                raw_part_header: false,
                header_can_be_ascii: true,
                untouchable_eight_bit: None,
                untouchable_no_text: None,
                leaves: Vec::new(),
            },
            region: Region { kind: RegionKind::Preamble, untouchable: None },
            text: Text::default(),
        }
    }
}

impl Findings {
    /// The region has ended; `begins_part` says whether it did with the first part of its own multipart.
    fn end_region(&mut self, begins_part: bool) {
        let text = std::mem::take(&mut self.text).finish();
        let is_no_text = text.long_line || text.binary;
        self.found.binary |= text.binary;
        let untouchable = match self.region.kind {
            // RFC 2046 section 5.1.1: a preamble is to be ignored. A body without any part is not a preamble.
            RegionKind::Preamble if !begins_part => self.region.untouchable.or(Some(Untouchable::NoPart)),
            _ => self.region.untouchable,
        };
        self.found.long_line |= text.long_line;
        self.need(text.eight_bit, is_no_text, untouchable);
        if let RegionKind::Leaf { index, .. } = self.region.kind
            && untouchable.is_none()
            && (text.eight_bit || is_no_text)
        {
            self.found.leaves.push(Leaf { index, is_no_text, charset: text.charset });
        }
    }

    /// The last region has ended, with its line or within it.
    fn end_message(&mut self, at_line_start: bool) {
        if self.found.of_octets && !at_line_start {
            self.found.binary = true;
            self.text.is_cut = matches!(self.region.kind, RegionKind::Leaf { declares_binary: true, .. });
        }
        self.end_region(false);
    }

    fn need(&mut self, eight_bit: bool, is_no_text: bool, untouchable: Option<Untouchable>) {
        self.found.eight_bit |= eight_bit;
        if eight_bit {
            self.found.untouchable_eight_bit = self.found.untouchable_eight_bit.or(untouchable);
        }
        if is_no_text {
            self.found.untouchable_no_text = self.found.untouchable_no_text.or(untouchable);
        }
    }

    fn message_header(&mut self, section: &[u8]) {
        if !section.is_ascii() {
            let repaired = repair_section(section, &mut Repairs::default());
            self.found.header_can_be_ascii = repaired.is_ok_and(|repaired| repaired.is_ascii());
        }
    }

    fn part_header(&mut self, section: &[u8], untouchable: Option<Untouchable>) {
        if self.found.of_octets && has_binary_octets(section) {
            self.found.binary = true;
            self.need(!section.is_ascii(), true, Some(Untouchable::PartHeader));
            return;
        }
        let is_raw = !section.is_ascii();
        let is_long = has_long_line(section);
        if !is_raw && !is_long {
            return;
        }
        self.found.eight_bit |= is_raw;
        if untouchable.is_some() {
            self.found.long_line |= is_long;
            self.need(is_raw, is_long, untouchable);
            return;
        }
        let repaired: Cow<'_, [u8]> = repair_fields(section);
        // A raw boundary is not repaired, and goes as it is where octets above 127 may go.
        self.found.raw_part_header |= repaired != section;
        let stays_long = has_long_line(&repaired);
        self.found.long_line |= stays_long;
        self.need(!repaired.is_ascii(), stays_long, Some(Untouchable::PartHeader));
    }
}

impl Visitor for Findings {
    fn header(&mut self, part: &Part<'_>) {
        // The header of the message itself is repaired when it comes in.
        if part.index > 0 {
            self.part_header(part.section, part.untouchable);
        } else {
            self.message_header(part.section);
        }
        let declares_binary = part.entity.declares_binary && part.untouchable.is_none();
        self.found.binary |= declares_binary;
        let kind = match part.entity.kind {
            Kind::Text | Kind::Data => RegionKind::Leaf { index: part.index, declares_binary },
            Kind::Multipart(_) | Kind::Message => RegionKind::Preamble,
        };
        self.region = Region { kind, untouchable: part.untouchable };
        self.text.guesses_charset = part.entity.kind == Kind::Text && !part.entity.has_content_type;
    }

    fn content(&mut self, octets: &[u8]) {
        if self.found.of_octets {
            self.text.binary.feed(octets);
        }
        self.text.feed(octets);
    }

    fn delimiter(&mut self, delimiter: &Delimiter<'_>) {
        self.end_region(delimiter.begins_own_part);
        self.region = Region { kind: RegionKind::Epilogue, untouchable: delimiter.untouchable };
    }
}

/// The octets of a region.
#[derive(Debug, Default)]
struct Text {
    lines: LineLength,
    /// Of octets alone.
    binary: BinaryOctets,
    /// It ends with the message within a line, which no text does.
    is_cut: bool,
    eight_bit: bool,
    /// Whether octets above 127 need a charset, because no field tells of one.
    guesses_charset: bool,
    utf8: Utf8,
}

struct TextFound {
    eight_bit: bool,
    long_line: bool,
    binary: bool,
    charset: Option<&'static str>,
}

impl Text {
    fn feed(&mut self, octets: &[u8]) {
        self.lines.feed(octets);
        if !self.eight_bit {
            self.eight_bit = !octets.is_ascii();
        }
        if self.eight_bit && self.guesses_charset {
            self.utf8.feed(octets);
        }
    }

    fn finish(self) -> TextFound {
        let guess = || if self.utf8.finish() { "utf-8" } else { "iso-8859-1" };
        TextFound {
            eight_bit: self.eight_bit,
            long_line: self.lines.finish(),
            binary: self.is_cut || self.binary.finish(),
            charset: (self.eight_bit && self.guesses_charset).then(guess),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn survey(message: &str) -> Surveyed {
        let mut survey = Survey::of_message();
        survey.feed(message.as_bytes());
        survey.finish()
    }

    fn mixed(parts: &str) -> String {
        format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{parts}\r\n--b--\r\n")
    }

    /// The indices of the parts to be re-encoded.
    fn leaves(surveyed: &Surveyed, target: Target) -> Result<Vec<u32>, Untouchable> {
        Ok(surveyed.plan(target)?.leaves.iter().map(|leaf| leaf.index).collect())
    }

    #[test]
    fn only_parts_that_need_it_are_re_encoded() {
        let long = "x".repeat(999);
        for (message, eight_bit_target, seven_bit_target) in [
            ("A: b\r\n\r\nplain\r\n".to_owned(), &[][..], &[][..]),
            ("\r\nGrüße".to_owned(), &[], &[0]),
            (format!("\r\n{long}"), &[0], &[0]),
            (mixed("\r\nplain"), &[], &[]),
            (mixed(&format!("\r\nGrüße\r\n--b\r\n\r\n{long}\r\n--b\r\n\r\nplain")), &[2], &[1, 2]),
            (
                mixed(&format!("Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\n{long}\r\n--b\r\n\r\né")),
                &[2],
                &[2, 3],
            ),
            // Only the texts around the parts.
            (
                format!(
                    "Content-Type: multipart/mixed; boundary=b\r\n\r\n{long}\r\n--b\r\n\r\n--b--\r\né{long}"
                ),
                &[],
                &[],
            ),
        ] {
            let surveyed = survey(&message);
            assert_eq!(leaves(&surveyed, Target::EightBit).as_deref(), Ok(eight_bit_target), "{message}");
            assert_eq!(leaves(&surveyed, Target::SevenBit).as_deref(), Ok(seven_bit_target), "{message}");
            assert_eq!(surveyed.has_long_line(), message.contains(&long));
            assert_eq!(surveyed.eight_bit(), message.contains('é') || message.contains('ü'));
            let plan = surveyed.plan(Target::EightBit).unwrap();
            assert_eq!(plan.changes_anything(), message.contains(&long));
        }
    }

    #[test]
    fn what_is_protected_goes_as_it_came_or_not_at_all() {
        let long = "x".repeat(999);
        let signed = |part: &str| {
            mixed(&format!("Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n{part}\r\n--s--\r\n"))
        };
        let (eight, both) = (Target::SevenBit, Target::EightBit);
        for (message, first_refused, untouchable) in [
            (signed(&format!("\r\n{long}")), both, Untouchable::MultipartSigned),
            (signed("\r\né"), eight, Untouchable::MultipartSigned),
            (signed("A: é\r\n\r\nx"), eight, Untouchable::MultipartSigned),
            (signed(&format!("A: {long}\r\n\r\nx")), both, Untouchable::MultipartSigned),
            (format!("DKIM-Signature: x\r\n\r\n{long}"), both, Untouchable::BodySigned),
            ("DKIM-Signature: x\r\n\r\né".to_owned(), eight, Untouchable::BodySigned),
            ("Content-Transfer-Encoding: uuencode\r\n\r\né".to_owned(), eight, Untouchable::Uuencoded),
            ("Content-Type: multipart/mixed\r\n\r\né".to_owned(), eight, Untouchable::NoBoundary),
            ("Content-Type: multipart/mixed; boundary=b\r\n\r\né".to_owned(), eight, Untouchable::NoPart),
            (
                format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{long}\r\n--b--\r\n"),
                both,
                Untouchable::NoPart,
            ),
        ] {
            let surveyed = survey(&message);
            assert_eq!(surveyed.plan(Target::SevenBit), Err(untouchable), "{message}");
            let expected = if first_refused == both { Err(untouchable) } else { Ok(Vec::new()) };
            assert_eq!(leaves(&surveyed, Target::EightBit), expected, "{message}");
            assert_eq!(surveyed.must_be_rewritten(), first_refused == both);
            assert!(!surveyed.has_raw_part_header());
        }
        assert!(survey(&signed("\r\nplain")).plan(Target::SevenBit).is_ok());
    }

    #[test]
    fn a_charset_is_told_where_no_field_tells_of_a_type() {
        for (section, content, charset) in [
            ("", &b"Gr\xc3\xbc\xc3\x9fe"[..], Some("utf-8")),
            ("", b"Gr\xfc\xdfe", Some("iso-8859-1")),
            ("Content-Type: text/plain\r\n", b"Gr\xfc\xdfe", None),
            ("Content-Type: image/png\r\n", b"Gr\xfc\xdfe", None),
        ] {
            let mut survey = Survey::of_message();
            survey.feed(section.as_bytes());
            survey.feed(b"\r\n");
            content.chunks(1).for_each(|octets| survey.feed(octets));
            let plan = survey.finish().plan(Target::SevenBit).unwrap();
            assert_eq!(plan.leaves[0].charset, charset, "{section:?} {content:?}");
        }
    }

    fn survey_of_octets(message: &str) -> Surveyed {
        let mut survey = Survey::of_message().of_octets();
        survey.feed(message.as_bytes());
        survey.finish()
    }

    #[test]
    fn of_what_was_sent_as_binary_the_parts_that_are_no_text_are_re_encoded_for_every_other_host() {
        let long = "x".repeat(999);
        let said = "Content-Transfer-Encoding: binary\r\n";
        for (message, binary, to_be_encoded) in [
            ("A: b\r\n\r\nplain\r\n".to_owned(), false, &[][..]),
            ("A: b\r\n\r\né\r\n".to_owned(), false, &[]),
            ("A: b\r\n\r\na\0b\r\n".to_owned(), true, &[0]),
            (format!("\r\n{long}\r\n"), true, &[0]),
            (mixed("\r\na\nb\r\n--b\r\n\r\nplain\r\n--b\r\n\r\nc\rd"), true, &[1, 3]),
            (mixed("Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\na\0b"), true, &[2]),
            // Said alone: there is nothing to be encoded, but to be said otherwise.
            (format!("{said}\r\nplain\r\n"), true, &[]),
            (mixed(&format!("{said}\r\nplain")), true, &[]),
            // Text has line ends; of binary content they would be part.
            ("A: b\r\n\r\nplain".to_owned(), true, &[]),
            (format!("{said}\r\nplain"), true, &[0]),
            // A delimiter has no line end but CRLF.
            (mixed("\r\na\n--b\n\r\né"), true, &[1]),
            (mixed("\r\n").replace("\r\n--b\r\n", "\r\n\0--b\r\n--b\r\n"), true, &[]),
        ] {
            let surveyed = survey_of_octets(&message);
            assert_eq!(surveyed.is_binary(), binary, "{message:?}");
            assert_eq!(leaves(&surveyed, Target::EightBit).as_deref(), Ok(to_be_encoded), "{message:?}");
            assert_eq!(surveyed.plan(Target::EightBit).unwrap().changes_anything(), binary, "{message:?}");
            assert!(!survey(&message).is_binary());
        }
    }

    #[test]
    fn what_is_binary_where_nothing_may_be_changed_is_for_hosts_with_binarymime_alone() {
        for (message, untouchable) in [
            (
                mixed("Content-Type: multipart/signed; boundary=s\r\n\r\n--s\r\n\r\n\0\r\n--s--"),
                Untouchable::MultipartSigned,
            ),
            ("DKIM-Signature: x\r\n\r\na\nb\r\n".to_owned(), Untouchable::BodySigned),
            ("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\n\0".to_owned(), Untouchable::NoPart),
            (mixed("A: \0\r\n\r\nx"), Untouchable::PartHeader),
            (mixed("A: b\nC: d\r\n\r\nx"), Untouchable::PartHeader),
            (mixed("A: \rb\r\n\r\nx"), Untouchable::PartHeader),
        ] {
            let surveyed = survey_of_octets(&message);
            assert!(surveyed.is_binary(), "{message:?}");
            for target in [Target::EightBit, Target::SevenBit] {
                assert_eq!(surveyed.plan(target), Err(untouchable), "{message:?}");
            }
        }
    }

    #[test]
    fn a_header_section_can_be_ascii_unless_an_address_or_a_signature_is_in_the_way() {
        for (section, can_be) in [
            ("A: b\r\n", true),
            ("Subject: é\r\nFrom: ü <a@b>\r\n", true),
            ("From: <ü@b>\r\n", false),
            ("DKIM-Signature: v=1; h=subject\r\nSubject: é\r\n", false),
            ("DKIM-Signature: v=1; h=from\r\nSubject: é\r\n", true),
        ] {
            assert_eq!(survey(&format!("{section}\r\né")).header_can_be_ascii(), can_be, "{section}");
        }
    }

    #[test]
    fn raw_headers_of_parts_are_seen_and_that_of_the_message_is_not_theirs() {
        let surveyed = survey(&mixed("Content-Type: text/plain; name=\"é\"\r\n\r\nx"));
        assert!(surveyed.has_raw_part_header() && surveyed.must_be_rewritten() && surveyed.eight_bit());
        let surveyed = survey(&mixed("Content-Type: text/x; boundary=é\r\n\r\nx"));
        assert!(!surveyed.has_raw_part_header() && !surveyed.must_be_rewritten() && surveyed.eight_bit());
        assert_eq!(surveyed.plan(Target::SevenBit), Err(Untouchable::PartHeader));
        let surveyed = survey(&format!("Subject: é\r\n{}", mixed("\r\nx")));
        assert!(!surveyed.has_raw_part_header() && !surveyed.must_be_rewritten() && !surveyed.eight_bit());
    }

    proptest! {
        #[test]
        fn a_body_is_surveyed_as_the_message_is(
            section in "(Content-Type: multipart/mixed; boundary=b\r\n|DKIM-Signature: x\r\n|Content-Type: message/rfc822\r\n){0,2}",
            lines in proptest::collection::vec("(--b|--b--|x|é|x{999}|Content-Type: text/x|)(\r\n){1,2}", 0..12),
            chunk in 1..2000usize,
        ) {
            let body = lines.concat();
            let whole = survey(&format!("{section}\r\n{body}"));
            let mut by_body = Survey::of_body(&Header::parse(section.as_bytes()).unwrap());
            body.as_bytes().chunks(chunk).for_each(|octets| by_body.feed(octets));
            prop_assert_eq!(format!("{:?}", by_body.finish()), format!("{whole:?}"));
        }
    }
}
