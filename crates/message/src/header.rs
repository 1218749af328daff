//! The one strict reader of header sections (RFC 5322 section 2.2).

use std::fmt;

use memchr::{memchr, memchr2};

use crate::message_id::identifier;
use crate::signature::Coverage;

/// The most octets of a line, its CRLF not counted. RFC 5322 section 2.1.1.
pub const MAX_LINE: usize = 998;

/// The most fields of a header section.
pub const MAX_FIELDS: usize = 1000;

/// Why a header section was not accepted. Nothing is repaired here: where two readers could disagree on what is a
/// field, or where the body begins, the message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// A line is neither a field nor the continuation of one, such as text without a colon, white space before
    /// the colon, or the `From ` line of a mailbox file.
    NotAField,
    /// The name of a field has a bracket or the mark of an encoded-word, which some readers take away: `From(x)` is From to
    /// them.
    FieldName,
    /// The first line is a continuation of nothing.
    LeadingFold,
    /// A continuation has nothing but white space, which some take for the end of the header.
    /// RFC 5322 section 3.2.2 forbids to write it.
    BlankFold,
    /// A CR or LF that is not part of a CRLF, or a last line without one.
    LineEnd,
    /// NUL is allowed nowhere. RFC 5321 section 4.5.2, RFC 5322 section 2.2.
    Nul,
    /// Octets beyond ASCII that are not UTF-8. RFC 6532 section 3.1.
    NotUtf8,
    /// A line of more than [`MAX_LINE`] octets.
    LineTooLong,
    /// More than [`MAX_FIELDS`] fields.
    TooManyFields,
    /// More than [`MAX_SECTION`](crate::MAX_SECTION) octets.
    SectionTooBig,
    /// The first line is no field: the message is text alone.
    NoHeader,
}

impl HeaderError {
    /// Whether it is the amount that is wrong (552 5.3.4) and not the form (554 5.6.0).
    #[must_use]
    pub fn is_too_big(self) -> bool {
        matches!(self, Self::TooManyFields | Self::SectionTooBig)
    }

    /// What is wrong, for the client.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NotAField => "a header line is not a field",
            Self::FieldName => "the name of a header field has a bracket or an encoded-word in it",
            Self::LeadingFold => "the header begins with a folded line",
            Self::BlankFold => "a folded header line is blank",
            Self::LineEnd => "a header line does not end with CRLF",
            Self::Nul => "the header has a NUL",
            Self::NotUtf8 => "the header is not valid UTF-8",
            Self::LineTooLong => "a header line is longer than 998 octets",
            Self::TooManyFields => "the header has too many fields",
            Self::SectionTooBig => "the header is too big",
            Self::NoHeader => "there is no header",
        }
    }
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for HeaderError {}

/// A header section that was read and found well-formed.
#[derive(Debug, Clone)]
pub struct Header<'a> {
    fields: Vec<Field<'a>>,
    octets: usize,
    ascii: bool,
}

/// One field, as its octets stand in the section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    raw: &'a str,
    name: &'a str,
    value: &'a str,
}

impl<'a> Header<'a> {
    /// Reads a header section: lines that end with CRLF, with or without the blank line that ends the section.
    /// Takes time in proportion to its length.
    ///
    /// # Errors
    /// [`HeaderError`] says what is wrong.
    pub fn parse(section: &'a [u8]) -> Result<Self, HeaderError> {
        Self::parse_limited(section, MAX_FIELDS)
    }

    /// Reads a header section that was accepted before. Fields were added to it since, so it may have more than [`MAX_FIELDS`].
    ///
    /// # Errors
    /// [`HeaderError`] says what is wrong.
    pub fn parse_stored(section: &'a [u8]) -> Result<Self, HeaderError> {
        Self::parse_limited(section, usize::MAX)
    }

    fn parse_limited(section: &'a [u8], max_fields: usize) -> Result<Self, HeaderError> {
        let text = std::str::from_utf8(section).map_err(|_| HeaderError::NotUtf8)?;
        Ok(Self { fields: split_fields(text, max_fields)?, octets: section.len(), ascii: section.is_ascii() })
    }

    /// The fields in their order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> {
        self.fields.iter().copied()
    }

    /// The fields of one name, in any case.
    pub fn named(&self, name: &str) -> impl Iterator<Item = Field<'a>> {
        self.fields().filter(move |field| field.is(name))
    }

    /// What the message calls itself: the first Message-ID that is not blank.
    #[must_use]
    pub fn message_id(&self) -> Option<String> {
        self.named("Message-ID").find_map(|field| identifier(field.value()))
    }

    /// Whether it says `TLS-Required: No` (RFC 8689 section 3): the field has no other value, and stands there once.
    #[must_use]
    pub fn says_tls_is_not_required(&self) -> bool {
        let mut fields =
            self.named("TLS-Required").map(|field| field.value().trim().eq_ignore_ascii_case("no"));
        fields.next() == Some(true) && fields.next().is_none()
    }

    /// Whether the section can travel without SMTPUTF8. RFC 6532 section 3.6.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.ascii
    }

    /// What the signatures in it cover.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        Coverage::of(self.fields().map(|field| (field.name().as_bytes(), field.value().as_bytes())))
    }

    /// The length of the section that was read.
    pub(crate) fn octets(&self) -> usize {
        self.octets
    }
}

impl<'a> Field<'a> {
    /// The whole field with its line ends.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// What stands before the colon.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// What stands after the colon, still folded, without its last CRLF.
    #[must_use]
    pub fn value(&self) -> &'a str {
        self.value
    }

    /// Whether the field has this name, in any case.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Cuts a section into fields, up to its blank line if it has one. Each line is looked at once.
fn split_fields(text: &str, max_fields: usize) -> Result<Vec<Field<'_>>, HeaderError> {
    let mut fields = Vec::with_capacity(32);
    let mut rest = text;
    while !matches!(rest, "" | "\r\n") {
        let (field, after) = take_field(rest)?;
        if fields.len() == max_fields {
            return Err(HeaderError::TooManyFields);
        }
        fields.push(field);
        rest = after;
    }
    Ok(fields)
}

/// Takes a line that opens a field, and the folded lines after it.
fn take_field(text: &str) -> Result<(Field<'_>, &str), HeaderError> {
    let (line, mut rest) = take_line(text)?;
    let name = field_name(line)?;
    while rest.starts_with([' ', '\t']) {
        let (folded, after) = take_line(rest)?;
        if folded.bytes().all(|octet| matches!(octet, b' ' | b'\t')) {
            return Err(HeaderError::BlankFold);
        }
        rest = after;
    }
    let raw = text.get(..text.len().saturating_sub(rest.len())).unwrap_or_default();
    let value = raw.get(name.len().saturating_add(1)..raw.len().saturating_sub(2)).unwrap_or_default();
    Ok((Field { raw, name, value }, rest))
}

/// Takes a line up to its CRLF, which is not returned.
fn take_line(text: &str) -> Result<(&str, &str), HeaderError> {
    let newline = memchr(b'\n', text.as_bytes()).ok_or(HeaderError::LineEnd)?;
    let (line, rest) = text.split_at_checked(newline).ok_or(HeaderError::LineEnd)?;
    let line = line.strip_suffix('\r').ok_or(HeaderError::LineEnd)?;
    match memchr2(b'\r', 0, line.as_bytes()).and_then(|place| line.as_bytes().get(place)) {
        Some(0) => Err(HeaderError::Nul),
        Some(_) => Err(HeaderError::LineEnd),
        None if line.len() > MAX_LINE => Err(HeaderError::LineTooLong),
        None => Ok((line, rest.strip_prefix('\n').unwrap_or(rest))),
    }
}

/// `field-name = 1*ftext`, printable ASCII without the colon, which must follow at once.
fn field_name(line: &str) -> Result<&str, HeaderError> {
    if line.starts_with([' ', '\t']) {
        return Err(HeaderError::LeadingFold);
    }
    let (name, _) = line.split_once(':').ok_or(HeaderError::NotAField)?;
    let ftext = name.bytes().all(|octet| octet.is_ascii_graphic());
    if name.is_empty() || !ftext {
        return Err(HeaderError::NotAField);
    }
    if name.contains(['(', ')', '<', '>']) || name.contains("=?") {
        Err(HeaderError::FieldName)
    } else {
        Ok(name)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;
    use crate::MAX_SECTION;

    fn error(section: impl AsRef<[u8]>) -> HeaderError {
        Header::parse(section.as_ref()).unwrap_err()
    }

    #[test]
    fn fields_are_cut_with_their_folds() {
        let header = Header::parse(b"A: b\r\nSubject:\r\n one\r\n\ttwo\r\nEmpty:\r\n\r\n").unwrap();
        let fields: Vec<_> = header.fields().map(|field| (field.name(), field.value())).collect();
        assert_eq!(fields, [("A", " b"), ("Subject", "\r\n one\r\n\ttwo"), ("Empty", "")]);
        assert_eq!(header.named("SUBJECT").next().unwrap().raw(), "Subject:\r\n one\r\n\ttwo\r\n");
        assert!(header.named("Subj").next().is_none() && header.is_ascii());
    }

    #[test]
    fn a_section_may_be_empty_and_may_lack_its_blank_line() {
        for section in ["", "\r\n"] {
            assert_eq!(Header::parse(section.as_bytes()).unwrap().fields().count(), 0);
        }
        assert_eq!(Header::parse(b"A: b\r\n").unwrap().fields().count(), 1);
    }

    #[test]
    fn frm_13_what_has_two_readings_is_refused() {
        for (section, wrong) in [
            (" A: b\r\n\r\n", HeaderError::LeadingFold),
            ("\tA: b\r\n\r\n", HeaderError::LeadingFold),
            ("From alice@example.org Fri Nov 21 03:53:00 2025\r\nA: b\r\n", HeaderError::NotAField),
            (">From: alice\r\n \r\n", HeaderError::FieldName),
            ("no colon\r\n\r\n", HeaderError::NotAField),
            ("A: b\r\nHello there,\r\n", HeaderError::NotAField),
            ("From : a@example.org\r\n", HeaderError::NotAField),
            ("From\t: a@example.org\r\n", HeaderError::NotAField),
            ("A: b\r\n \r\nC: d\r\n", HeaderError::BlankFold),
            ("A: b\r\n\t \t\r\n c\r\n", HeaderError::BlankFold),
            ("A: b\r\n\r\nC: d\r\n", HeaderError::NotAField),
            ("\r\nA: b\r\n", HeaderError::NotAField),
            ("A: b", HeaderError::LineEnd),
            ("A: b\r", HeaderError::LineEnd),
            ("A: b\n", HeaderError::LineEnd),
            ("A: b\n\nC: d\r\n", HeaderError::LineEnd),
            ("A: b\rC: d\r\n", HeaderError::LineEnd),
            ("A: b\r\r\n", HeaderError::LineEnd),
            ("A: b\r\n c", HeaderError::LineEnd),
            ("A: b\0\r\n", HeaderError::Nul),
            ("A\0: b\r\n", HeaderError::Nul),
        ] {
            assert_eq!(error(section), wrong, "{section:?}");
        }
        assert_eq!(error(b"A: \xff\r\n"), HeaderError::NotUtf8);
        assert_eq!(error(b"A: \xc3\r\n"), HeaderError::NotUtf8);
    }

    #[test]
    fn frm_14_names_are_opaque_or_refused() {
        for name in ["__proto__", "constructor", "X", "a.b", "!#$%&'*+-/^_`{|}~=", "\"q\""] {
            let section = format!("{name}: x\r\n");
            assert_eq!(Header::parse(section.as_bytes()).unwrap().fields().next().unwrap().name(), name);
        }
        for name in ["", "\u{7f}", "é", "a b", "\x1b", "a\t", "\u{200b}From"] {
            assert_eq!(error(format!("{name}: x\r\n")), HeaderError::NotAField, "{name:?}");
        }
        for name in ["From(x)", ">From", "From>", ")From", "<From>", "=?utf-8?q?From?=", "From=?utf-8?q??="] {
            assert_eq!(error(format!("{name}: x\r\n")), HeaderError::FieldName, "{name:?}");
        }
        assert_eq!(error("a".repeat(64 * 1024) + ": x\r\n"), HeaderError::LineTooLong);
        assert_eq!(error("a".repeat(1 << 20) + ": x\r\n"), HeaderError::LineTooLong);
    }

    #[test]
    fn res_06_there_are_limits() {
        let line = |octets: usize| format!("A: {}\r\n", "x".repeat(octets - 3));
        assert!(Header::parse(line(MAX_LINE).as_bytes()).is_ok());
        assert_eq!(error(line(MAX_LINE + 1)), HeaderError::LineTooLong);

        let folded = |octets: usize| "A:\r\n".to_owned() + &" x\r\n".repeat(octets / 4 - 1);
        assert!(Header::parse(folded(MAX_SECTION).as_bytes()).is_ok());

        assert!(Header::parse("A: b\r\n".repeat(MAX_FIELDS).as_bytes()).is_ok());
        assert_eq!(error("A: b\r\n".repeat(MAX_FIELDS + 1)), HeaderError::TooManyFields);
        assert!(Header::parse_stored("A: b\r\n".repeat(MAX_FIELDS + 1).as_bytes()).is_ok());
        assert_eq!(error("A: b\r\n".repeat(1_000_000)), HeaderError::TooManyFields);
        assert!(HeaderError::TooManyFields.is_too_big() && !HeaderError::LineTooLong.is_too_big());
    }

    #[test]
    fn res_06_the_greatest_sections_are_read_in_a_moment() {
        let started = Instant::now();
        let _ = Header::parse(("A:\r\n".to_owned() + &" x\r\n".repeat(65_000)).as_bytes());
        let _ = Header::parse("A: b\r\n".repeat(43_000).as_bytes());
        let long = format!("A: {}\r\n", "x".repeat(250));
        assert!(Header::parse(long.repeat(1000).as_bytes()).is_ok());
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_section_tells_whether_it_needs_smtputf8() {
        assert!(!Header::parse("Subject: Grüße\r\n\r\n".as_bytes()).unwrap().is_ascii());
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(section: Vec<u8>) {
            let _ = Header::parse(&section);
        }

        #[test]
        fn nothing_is_lost_of_what_is_read(section in "([A:é]|\r|\n|\r\n|[ \t]|A: b|\r\nB:){0,40}(\r\n)?(\r\n)?") {
            if let Ok(header) = Header::parse(section.as_bytes()) {
                let joined: String = header.fields().map(|field| field.raw()).collect();
                prop_assert!(section == joined || section == joined + "\r\n");
                for field in header.fields() {
                    prop_assert_eq!(format!("{}:{}\r\n", field.name(), field.value()), field.raw());
                }
            }
        }
    }
}
