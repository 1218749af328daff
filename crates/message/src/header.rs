//! The one strict reader of header sections (RFC 5322 section 2.2).

use std::fmt;

use memchr::{memchr, memchr2};

use crate::MAX_SECTION;

/// The most octets of a line, its CRLF not counted. RFC 5322 section 2.1.1.
pub const MAX_LINE: usize = 998;

/// The most octets of one field with all its folded lines.
pub const MAX_FIELD: usize = 64 * 1024;

/// The most fields of a header section.
pub const MAX_FIELDS: usize = 1000;

/// Why a header section was not accepted. Nothing is repaired: where two readers could disagree on what is a
/// field, or where the body begins, the message is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeaderError {
    /// A line is neither a field nor the continuation of one, such as text without a colon, white space before
    /// the colon, or the `From ` line of a mailbox file.
    NotAField,
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
    /// A field of more than [`MAX_FIELD`] octets.
    FieldTooBig,
    /// More than [`MAX_FIELDS`] fields.
    TooManyFields,
    /// More than [`MAX_SECTION`] octets.
    SectionTooBig,
}

impl HeaderError {
    /// Whether it is the amount that is wrong (552 5.3.4) and not the form (554 5.6.0).
    #[must_use]
    pub fn is_too_big(self) -> bool {
        matches!(self, Self::FieldTooBig | Self::TooManyFields | Self::SectionTooBig)
    }

    /// What is wrong, for the client.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::NotAField => "a header line is not a field",
            Self::LeadingFold => "the header begins with a folded line",
            Self::BlankFold => "a folded header line is blank",
            Self::LineEnd => "a header line does not end with CRLF",
            Self::Nul => "the header has a NUL",
            Self::NotUtf8 => "the header is not valid UTF-8",
            Self::LineTooLong => "a header line is longer than 998 octets",
            Self::FieldTooBig => "a header field is too big",
            Self::TooManyFields => "the header has too many fields",
            Self::SectionTooBig => "the header is too big",
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
        if section.len() > MAX_SECTION {
            return Err(HeaderError::SectionTooBig);
        }
        let text = std::str::from_utf8(section).map_err(|_| HeaderError::NotUtf8)?;
        Ok(Self { fields: split_fields(text)?, octets: section.len(), ascii: section.is_ascii() })
    }

    /// The fields in their order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> {
        self.fields.iter().copied()
    }

    /// The fields of one name, in any case.
    pub fn named(&self, name: &str) -> impl Iterator<Item = Field<'a>> {
        self.fields().filter(move |field| field.is(name))
    }

    /// Whether the section can travel without SMTPUTF8. RFC 6532 section 3.6.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.ascii
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
fn split_fields(text: &str) -> Result<Vec<Field<'_>>, HeaderError> {
    let mut fields = Vec::with_capacity(32);
    let mut rest = text;
    while !matches!(rest, "" | "\r\n") {
        let (field, after) = take_field(rest)?;
        if fields.len() == MAX_FIELDS {
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
    if raw.len() > MAX_FIELD {
        return Err(HeaderError::FieldTooBig);
    }
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
    if name.is_empty() || !ftext { Err(HeaderError::NotAField) } else { Ok(name) }
}
