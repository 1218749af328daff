//! Gathers the header section of a message that arrives in chunks, and finds where its body begins.

use bytes::Bytes;
use memchr::memchr;

use crate::field_repair::{Unrepairable, repair_section};
use crate::header::{HeaderError, MAX_LINE};
use crate::repairs::{Repair, Repairs};

/// The most octets of a header section, its blank line included.
pub const MAX_SECTION: usize = 256 * 1024;

/// A header section under way.
///
/// Strictly read, it ends with the first blank line, and a line before it that is neither a field nor a continuation is an
/// error. Read with patience, such a line begins the body: the sender forgot the blank line, or the whole header.
#[derive(Debug)]
pub struct Section {
    patient: bool,
    gathered: Vec<u8>,
    /// Where in what was gathered the line begins that has not ended yet.
    open_line: usize,
    /// Where the fields begin: behind the separator of a mailbox file.
    fields: usize,
    repairs: Repairs,
    are_odd: bool,
}

/// What a chunk led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// The header section may go on.
    More,
    /// The header section has ended.
    Complete {
        /// Its fields.
        header: Gathered,
        /// What the chunk has of the body.
        body_rest: Bytes,
    },
}

/// The fields of a header section as they came, without the blank line behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gathered {
    pub(crate) fields: Vec<u8>,
    pub(crate) repairs: Repairs,
    /// Some of them can't travel as they came, or could be cut in two ways.
    pub(crate) are_odd: bool,
}

impl Gathered {
    /// The fields as they came.
    #[must_use]
    pub fn as_they_came(self) -> Vec<u8> {
        self.fields
    }

    /// The fields repaired, and what was repaired so far.
    ///
    /// # Errors
    /// [`Unrepairable`] says which field can't be.
    pub fn repaired(self) -> Result<(Vec<u8>, Repairs), Unrepairable> {
        let Self { fields, mut repairs, are_odd } = self;
        if !are_odd && fields.is_ascii() {
            return Ok((fields, repairs));
        }
        let fields = repair_section(&fields, &mut repairs)?;
        Ok((fields, repairs))
    }
}

/// What a line of a header section is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Nothing but its CRLF.
    Blank,
    Field,
    Continuation,
    /// `From ` and an address and a date, with any number of `>` before it.
    MailboxSeparator,
    /// None of these.
    Text,
    /// It can't be told yet.
    Open,
}

impl Section {
    /// A section of which nothing has come.
    #[must_use]
    pub fn new(patient: bool) -> Self {
        Self {
            patient,
            gathered: Vec::new(),
            open_line: 0,
            fields: 0,
            repairs: Repairs::default(),
            are_odd: false,
        }
    }

    /// Takes the next chunk of a message whose lines end with CRLF.
    ///
    /// # Errors
    /// [`HeaderError::SectionTooBig`] as soon as there are more than [`MAX_SECTION`] octets; what was gathered is dropped then.
    /// Read strictly, also [`HeaderError::NotAField`], [`HeaderError::LeadingFold`] and [`HeaderError::NoHeader`].
    pub fn feed(&mut self, chunk: Bytes) -> Result<Progress, HeaderError> {
        let mut taken = 0;
        loop {
            let rest = chunk.get(taken..).unwrap_or_default();
            let length = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            self.gather(rest.get(..length).unwrap_or_default())?;
            taken += length;
            match self.kind_of_line() {
                Line::Open => return Ok(Progress::More),
                Line::Blank => {
                    let (header, text) = self.end_at_blank_line();
                    return Ok(complete(header, text, chunk.slice(taken..)));
                }
                Line::Text => {
                    let (header, text) = self.end_before_text()?;
                    return Ok(complete(header, text, chunk.slice(taken..)));
                }
                Line::MailboxSeparator => self.fields = self.gathered.len(),
                Line::Field | Line::Continuation => self.are_odd |= is_odd(self.line()),
            }
            self.open_line = self.gathered.len();
        }
    }

    /// The message has ended without a blank line: the header section, and the body if there is one.
    ///
    /// # Errors
    /// As [`feed`](Self::feed), if it is read strictly.
    pub fn finish(mut self) -> Result<(Gathered, Bytes), HeaderError> {
        let (header, text) = if self.open_line < self.gathered.len() {
            self.end_before_text()?
        } else {
            self.end_at_blank_line()
        };
        Ok((header, text.into()))
    }

    fn gather(&mut self, octets: &[u8]) -> Result<(), HeaderError> {
        if self.gathered.len().saturating_add(octets.len()) > MAX_SECTION {
            *self = Self::new(self.patient);
            return Err(HeaderError::SectionTooBig);
        }
        self.gathered.extend_from_slice(octets);
        Ok(())
    }

    /// The last line that was gathered.
    fn line(&self) -> &[u8] {
        self.gathered.get(self.open_line..).unwrap_or_default()
    }

    /// What the last line is that was gathered, as soon as that can be told.
    fn kind_of_line(&self) -> Line {
        let line = self.line();
        let is_first = self.open_line == self.fields;
        let whole = line.ends_with(b"\n");
        match kind_of(line, is_first) {
            Some(Line::Field) if !self.patient && has_blank_before_colon(line) => Line::Text,
            Some(Line::MailboxSeparator) if !self.patient => Line::Text,
            Some(Line::Text) => Line::Text,
            Some(kind) if whole => kind,
            None if whole || line.len() > MAX_LINE => Line::Text,
            Some(_) | None => Line::Open,
        }
    }

    /// There was a blank line, or the end.
    fn end_at_blank_line(&mut self) -> (Gathered, Vec<u8>) {
        let separator_alone = self.fields > 0 && self.fields == self.open_line;
        if separator_alone { self.end_without_header() } else { self.end(self.open_line, Vec::new()) }
    }

    /// The last line that was gathered belongs to the body.
    fn end_before_text(&mut self) -> Result<(Gathered, Vec<u8>), HeaderError> {
        let line = self.line();
        if !self.patient {
            return Err(match line.first() {
                Some(b' ' | b'\t') => HeaderError::LeadingFold,
                _ if self.open_line > 0 || is_separator(line) => HeaderError::NotAField,
                _ if kind_of(line, true) == Some(Line::Field) => HeaderError::NotAField,
                _ => HeaderError::NoHeader,
            });
        }
        if self.fields == self.open_line {
            return Ok(self.end_without_header());
        }
        self.repairs.add(Repair::NoBlankLine);
        let text = self.gathered.split_off(self.open_line);
        Ok(self.end(self.open_line, text))
    }

    /// What looked like the separator of a mailbox file is text too, if no field follows it.
    fn end_without_header(&mut self) -> (Gathered, Vec<u8>) {
        self.fields = 0;
        let text = std::mem::take(&mut self.gathered);
        self.end(0, text)
    }

    fn end(&mut self, end: usize, text: Vec<u8>) -> (Gathered, Vec<u8>) {
        let Self { fields: start, mut gathered, mut repairs, are_odd, .. } =
            std::mem::replace(self, Self::new(self.patient));
        gathered.truncate(end);
        if start > 0 {
            repairs.add(Repair::MailboxLine);
            gathered.drain(..start);
        }
        if gathered.is_empty() {
            repairs.add(Repair::NoHeader);
        }
        (Gathered { fields: gathered, repairs, are_odd }, text)
    }
}

fn complete(header: Gathered, text: Vec<u8>, rest: Bytes) -> Progress {
    let body_rest = if text.is_empty() { rest } else { [text.as_slice(), &rest].concat().into() };
    Progress::Complete { header, body_rest }
}

/// What a line is by its beginning; nothing if that may still go either way.
fn kind_of(line: &[u8], is_first: bool) -> Option<Line> {
    match line {
        b"" | b"\r" => return None,
        b"\r\n" => return Some(Line::Blank),
        [b' ' | b'\t', ..] => return Some(if is_first { Line::Text } else { Line::Continuation }),
        _ => {}
    }
    // `field-name = 1*ftext`, and blanks before the colon in obsolete syntax (RFC 5322 sections 2.2 and 4.5).
    let end = line.iter().position(|octet| !octet.is_ascii_graphic() || *octet == b':')?;
    let behind = line.get(end..).unwrap_or_default();
    let next = behind.iter().find(|octet| !matches!(octet, b' ' | b'\t'))?;
    Some(match next {
        b':' if end > 0 => Line::Field,
        _ if is_first && is_separator(line) => Line::MailboxSeparator,
        _ => Line::Text,
    })
}

fn has_blank_before_colon(line: &[u8]) -> bool {
    matches!(line.iter().find(|octet| matches!(octet, b' ' | b'\t' | b':')), Some(b' ' | b'\t'))
}

/// Whether a line of a field can't stay as it is, leaving aside octets above 127.
fn is_odd(line: &[u8]) -> bool {
    let blank = line.iter().all(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n'));
    let continues = matches!(line.first(), Some(b' ' | b'\t'));
    line.len() > MAX_LINE + 2 || if continues { blank } else { has_blank_before_colon(line) }
}

fn is_separator(line: &[u8]) -> bool {
    let quoted = line.iter().take_while(|octet| **octet == b'>').count();
    line.get(quoted..).is_some_and(|line| line.starts_with(b"From "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The fields, the body, and what was repaired, of a message in these chunks.
    fn gather(chunks: &[&[u8]], patient: bool) -> Result<(String, String, String), HeaderError> {
        let mut section = Section::new(patient);
        let mut chunks = chunks.iter();
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        while let Some(chunk) = chunks.next() {
            if let Progress::Complete { header, body_rest } = section.feed(Bytes::copy_from_slice(chunk))? {
                let body = [&[body_rest.as_ref()], chunks.as_slice()].concat().concat();
                return Ok((text(&header.fields), text(&body), header.repairs.to_string()));
            }
        }
        let (header, body) = section.finish()?;
        Ok((text(&header.fields), text(&body), header.repairs.to_string()))
    }

    fn assert_cut_anywhere(message: &str, patient: bool, expected: Result<(&str, &str, &str), HeaderError>) {
        let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
        for cut in 0..=message.len() {
            let (one, two) = message.as_bytes().split_at(cut);
            assert_eq!(gather(&[one, two], patient), expected, "{message:?} cut at {cut}");
        }
    }

    #[test]
    fn the_first_blank_line_ends_the_section() {
        for patient in [true, false] {
            for (message, fields, body) in [
                ("A: b\r\n\r\nx\r\n\r\ny\r\n", "A: b\r\n", "x\r\n\r\ny\r\n"),
                ("A: b\r\n\r\n", "A: b\r\n", ""),
                ("A: b\r\n", "A: b\r\n", ""),
                ("A: b\r\n \r\nC: d\r\n\r\n\r\n", "A: b\r\n \r\nC: d\r\n", "\r\n"),
                ("A:\r\n c\r\nB:d\r\n\r\nx\r\n", "A:\r\n c\r\nB:d\r\n", "x\r\n"),
            ] {
                assert_cut_anywhere(message, patient, Ok((fields, body, "")));
            }
        }
    }

    #[test]
    fn what_is_no_header_is_body_for_the_patient() {
        for (message, fields, body, repairs) in [
            (
                "Battery low on UPS 3\r\nPlease check.\r\n",
                "",
                "Battery low on UPS 3\r\nPlease check.\r\n",
                "no header",
            ),
            ("\r\nx\r\n", "", "x\r\n", "no header"),
            ("\r\n", "", "", "no header"),
            ("", "", "", "no header"),
            (" A: b\r\nFrom: c\r\n\r\n", "", " A: b\r\nFrom: c\r\n\r\n", "no header"),
            (": b\r\n", "", ": b\r\n", "no header"),
            ("\u{fc}: b\r\n", "", "\u{fc}: b\r\n", "no header"),
            (
                "A: b\r\nHello there,\r\nFrom: c\r\n\r\n",
                "A: b\r\n",
                "Hello there,\r\nFrom: c\r\n\r\n",
                "no blank line before the body",
            ),
            ("A: b\r\nMessage ID: c\r\n", "A: b\r\n", "Message ID: c\r\n", "no blank line before the body"),
            ("From a@b Sun Nov 29 10:00:00 2026\r\nA: b\r\n\r\nx\r\n", "A: b\r\n", "x\r\n", "mailbox line"),
            (">From a@b\r\nFrom b@c\r\nA: b\r\n\r\n", "A: b\r\n", "", "mailbox line"),
            (
                "From our server room\r\nAll is well.\r\n",
                "",
                "From our server room\r\nAll is well.\r\n",
                "no header",
            ),
            ("From here on\r\n\r\nx\r\n", "", "From here on\r\n\r\nx\r\n", "no header"),
            ("From : a@b\r\n\r\nx\r\n", "From : a@b\r\n", "x\r\n", ""),
            ("From\t \t: a@b\r\nBcc : c\r\n\r\n", "From\t \t: a@b\r\nBcc : c\r\n", "", ""),
            (
                "A: b\r\nFrom a@b\r\n\r\nx\r\n",
                "A: b\r\n",
                "From a@b\r\n\r\nx\r\n",
                "no blank line before the body",
            ),
        ] {
            assert_cut_anywhere(message, true, Ok((fields, body, repairs)));
        }
    }

    #[test]
    fn the_strict_refuse_it() {
        for (message, error) in [
            ("Battery low\r\n", HeaderError::NoHeader),
            (" A: b\r\n\r\n", HeaderError::LeadingFold),
            ("From a@b Sun Nov 29 10:00:00 2026\r\nA: b\r\n\r\n", HeaderError::NotAField),
            ("A: b\r\nHello there,\r\n\r\n", HeaderError::NotAField),
            ("From : a@b\r\n\r\n", HeaderError::NotAField),
            ("A: b\r\nBcc\t: a@b\r\n\r\n", HeaderError::NotAField),
        ] {
            assert_cut_anywhere(message, false, Err(error));
        }
    }

    #[test]
    fn text_is_told_from_a_field_before_its_line_ends() {
        let mut section = Section::new(true);
        let chunk = Bytes::from(vec![b'A'; MAX_LINE + 1]);
        assert!(
            matches!(section.feed(chunk.clone()), Ok(Progress::Complete { body_rest, .. }) if body_rest == chunk)
        );
    }

    #[test]
    fn an_endless_section_is_cut_off() {
        let mut section = Section::new(true);
        assert_eq!(
            section.feed(Bytes::from(format!("A: {}", "a".repeat(MAX_SECTION - 3)))),
            Ok(Progress::More)
        );
        assert_eq!(section.feed(Bytes::from_static(b"a")), Err(HeaderError::SectionTooBig));
        assert_eq!(section.gathered.capacity(), 0);
        let whole = format!("A: {}\r\n\r\nbody", "a".repeat(MAX_SECTION - 7));
        assert!(matches!(Section::new(true).feed(Bytes::from(whole)), Ok(Progress::Complete { .. })));
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(message in "([a:> \r]|From |\r\n|\r\n\r\n|A: b\r\n){0,40}", cuts in proptest::collection::vec(0usize..80, 0..8), patient: bool) {
            let whole = gather(&[message.as_bytes()], patient);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(message.len())).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut start = 0;
            for cut in cuts.into_iter().chain([message.len()]) {
                chunks.push(&message.as_bytes()[start..cut]);
                start = cut;
            }
            prop_assert_eq!(&gather(&chunks, patient), &whole);
            if let (Ok((fields, body, repairs)), true) = (whole, message.ends_with("\r\n"))
                && !repairs.contains("mailbox")
            {
                let joined = [format!("{fields}\r\n{body}"), format!("{fields}{body}")];
                prop_assert!(joined.contains(&message));
            }
        }
    }
}
