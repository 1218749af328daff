//! Repairs header fields that could not travel as they came, or that readers would cut differently (RFC 7103 section 7).

use std::borrow::Cow;

use memchr::memchr;

use crate::encoded_word::Charset;
use crate::fold::fold;
use crate::header::MAX_LINE;
use crate::raw_octets::{Holds, encode};
use crate::repairs::{Repair, Repairs};
use crate::signature::Coverage;

/// Why a field can't be repaired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrepairable {
    /// A signature covers it, so that it must leave as it came, and it can't.
    #[error("the {0} field is signed, and cannot be repaired without breaking the signature")]
    Signed(String),
    /// Octets that are not UTF-8, where they can't be encoded.
    #[error("an address in the {0} field has octets that are not UTF-8")]
    NotUtf8(String),
    /// A line that can be folded nowhere, and what is in it can't be encoded, such as an address.
    #[error("the {0} field has more than 998 octets in a row that cannot be folded")]
    Unfoldable(String),
}

/// A field, as its octets came.
#[derive(Debug, Clone, Copy)]
struct RawField<'a> {
    /// The whole field with its line ends.
    raw: &'a [u8],
    name: &'a str,
    /// Blanks stand before the colon.
    spaced: bool,
    /// What stands behind the colon, without its last CRLF.
    value: &'a [u8],
}

/// The fields of a section whose lines all are fields or continuations. What is neither has no name.
fn fields(section: &[u8]) -> impl Iterator<Item = RawField<'_>> {
    let mut rest = section;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (raw, after) = rest.split_at_checked(field_length(rest))?;
        rest = after;
        Some(RawField::read(raw))
    })
}

/// The octets of a line and of the folded lines behind it.
fn field_length(section: &[u8]) -> usize {
    let mut length = 0;
    loop {
        let rest = section.get(length..).unwrap_or_default();
        length += memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        if !matches!(section.get(length), Some(b' ' | b'\t')) {
            return length;
        }
    }
}

impl<'a> RawField<'a> {
    fn read(raw: &'a [u8]) -> Self {
        let text = raw.strip_suffix(b"\r\n").unwrap_or(raw);
        let nameless = Self { raw, name: "", spaced: false, value: text };
        let Some(colon) = memchr(b':', text) else { return nameless };
        let (before, behind) = text.split_at_checked(colon).unwrap_or((text, &[]));
        let name = before.trim_ascii_end();
        match std::str::from_utf8(name) {
            Ok(word) if !word.is_empty() && word.bytes().all(|octet| octet.is_ascii_graphic()) => {
                let value = behind.get(1..).unwrap_or_default();
                Self { raw, name: word, spaced: name.len() < before.len(), value }
            }
            _ => nameless,
        }
    }

    fn lines(&self) -> impl Iterator<Item = &'a [u8]> {
        self.raw
            .split_inclusive(|octet| *octet == b'\n')
            .map(|line| line.strip_suffix(b"\r\n").unwrap_or(line))
    }

    fn has_blank_fold(&self) -> bool {
        self.lines().skip(1).any(is_blank)
    }

    fn is_long(&self) -> bool {
        self.lines().any(|line| line.len() > MAX_LINE)
    }

    /// The value without the folded lines that have nothing but blanks.
    fn without_blank_folds(&self) -> Cow<'a, [u8]> {
        if !self.has_blank_fold() {
            return Cow::Borrowed(self.value);
        }
        let mut lines = self.value.split_inclusive(|octet| *octet == b'\n');
        let mut value = lines.next().unwrap_or_default().to_vec();
        lines.filter(|line| !is_blank(line)).for_each(|line| value.extend_from_slice(line));
        let length = value.strip_suffix(b"\r\n").map_or(value.len(), <[u8]>::len);
        value.truncate(length);
        Cow::Owned(value)
    }
}

fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|octet| matches!(octet, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Repairs the header section of a message, in which every line is a field or a continuation. What a signature covers is left as it
/// came.
///
/// # Errors
/// [`Unrepairable`] if that can't leave, or something else can't be repaired.
pub(crate) fn repair_section(section: &[u8], repairs: &mut Repairs) -> Result<Vec<u8>, Unrepairable> {
    let coverage = Coverage::of(fields(section).map(|field| (field.name.as_bytes(), field.value)));
    let mut repaired = Vec::with_capacity(section.len() + section.len() / 2);
    for field in fields(section) {
        let faults = faults(&field);
        let must_stay = coverage.has_field(field.name);
        match faults.as_slice() {
            [] => repaired.extend_from_slice(field.raw),
            // It can be carried by hosts that take UTF-8 (RFC 6532).
            [Repair::RawHeader] if must_stay && std::str::from_utf8(field.raw).is_ok() => {
                repaired.extend_from_slice(field.raw)
            }
            _ if must_stay => return Err(Unrepairable::Signed(field.name.to_owned())),
            faults => {
                let before = repaired.len();
                repair_field(&field, &mut repaired)?;
                // In an address raw octets stay.
                if repaired.get(before..) != Some(field.raw) {
                    faults.iter().for_each(|fault| repairs.add(*fault));
                }
            }
        }
    }
    Ok(repaired)
}

/// The fields of a MIME part, without its blank line, repaired as far as they can be.
pub(crate) fn repair_fields(section: &[u8]) -> Cow<'_, [u8]> {
    if fields(section).all(|field| faults(&field).is_empty()) {
        return Cow::Borrowed(section);
    }
    let mut repaired = Vec::with_capacity(section.len() + section.len() / 2);
    for field in fields(section) {
        let before = repaired.len();
        if faults(&field).is_empty() || repair_field(&field, &mut repaired).is_err() {
            repaired.truncate(before);
            repaired.extend_from_slice(field.raw);
        }
    }
    Cow::Owned(repaired)
}

/// What is wrong with a field.
fn faults(field: &RawField<'_>) -> Vec<Repair> {
    let found = [
        (Repair::BlankBeforeColon, field.spaced),
        (Repair::BlankFold, field.has_blank_fold()),
        (Repair::RawHeader, !field.raw.is_ascii()),
        (Repair::LongHeaderLine, field.is_long()),
    ];
    found.into_iter().filter(|(_, wrong)| *wrong).map(|(repair, _)| repair).collect()
}

fn repair_field(field: &RawField<'_>, out: &mut Vec<u8>) -> Result<(), Unrepairable> {
    let name = field.name;
    let value = field.without_blank_folds();
    let (charset, text) = Charset::read(&value);
    let holds = Holds::of(name);
    let column = name.len() + 1;
    let ascii = if text.is_ascii() { text } else { encode(&text, charset, holds, column).into() };
    if charset == Charset::Latin1 && !ascii.is_ascii() {
        return Err(Unrepairable::NotUtf8(name.to_owned()));
    }
    let folded = fold(&ascii, column, holds).map_err(|_| Unrepairable::Unfoldable(name.to_owned()))?;
    if !name.is_empty() {
        out.extend_from_slice(name.as_bytes());
        out.push(b':');
    }
    out.extend_from_slice(folded.as_bytes());
    out.extend_from_slice(b"\r\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(section: &[u8]) -> Result<(String, String), Unrepairable> {
        let mut repairs = Repairs::default();
        let section = repair_section(section, &mut repairs)?;
        Ok((String::from_utf8(section).unwrap(), repairs.to_string()))
    }

    #[test]
    fn each_fault_is_repaired_and_told() {
        for (section, expected, told) in [
            (
                &b"Subject:\r\n \r\n\t \r\n some value\r\n"[..],
                "Subject:\r\n some value\r\n",
                "blank folded line",
            ),
            (b"Subject: x\r\n \r\nTo: y\r\n", "Subject: x\r\nTo: y\r\n", "blank folded line"),
            (b"Subject:\r\n \r\n", "Subject:\r\n", "blank folded line"),
            (b"From : x\r\nBcc\t: y\r\n z\r\n", "From: x\r\nBcc: y\r\n z\r\n", "blank before a colon"),
            (b"Subject: B\xfcro\r\n", "Subject: =?iso-8859-1?q?B=FCro?=\r\n", "raw octets in the header"),
            (
                b"X: a\xc3\xbc\r\nY: \xfc\r\n",
                "X: =?utf-8?q?a=C3=BC?=\r\nY: =?iso-8859-1?q?=FC?=\r\n",
                "raw octets in the header",
            ),
            (b"X:a\r\n", "X:a\r\n", ""),
            (b"To: \xc3\xbc@x\r\n", "To: \u{fc}@x\r\n", ""),
        ] {
            assert_eq!(repaired(section).unwrap(), (expected.to_owned(), told.to_owned()));
        }
        let (long, told) = repaired(format!("References:{}\r\n", " <a@b>".repeat(300)).as_bytes()).unwrap();
        assert_eq!((long.lines().all(|line| line.len() <= 78), told.as_str()), (true, "long header line"));
    }

    #[test]
    fn what_is_signed_is_left_or_refused() {
        let signature = "DKIM-Signature: v=1; h=from:subject; bh=x; b=y\r\n";
        let utf8 = format!("{signature}Subject: \u{fc}\r\nX: \u{fc}\r\n");
        assert_eq!(
            repaired(utf8.as_bytes()).unwrap().0,
            format!("{signature}Subject: \u{fc}\r\nX: =?utf-8?q?=C3=BC?=\r\n")
        );
        for signed in [
            &b"Subject: \xfc\r\n"[..],
            b"Subject : x\r\n",
            b"Subject: x\r\n \r\n",
            &[b"Subject: ", &[b'x'; 1000][..], b"\r\n"].concat(),
        ] {
            let section = [signature.as_bytes(), signed].concat();
            assert_eq!(
                repaired(&section),
                Err(Unrepairable::Signed("Subject".into())),
                "{}",
                section.escape_ascii()
            );
        }
    }

    #[test]
    fn an_address_is_no_text() {
        assert_eq!(repaired("To: \u{fc}@x\r\n".as_bytes()).unwrap().0, "To: \u{fc}@x\r\n");
        assert_eq!(repaired(b"To: \xfc@x\r\n"), Err(Unrepairable::NotUtf8("To".into())));
        let long = [b"To: <", &[b'x'; 1000][..], b"@x>\r\n"].concat();
        assert_eq!(repaired(&long), Err(Unrepairable::Unfoldable("To".into())));
    }

    #[test]
    fn the_header_of_a_part_is_repaired_as_far_as_it_goes() {
        let part = "Content-Type: a/b; name=\u{fc}\r\nno field\r\nContent-ID: <x>\r\n";
        let expected = "Content-Type: a/b;\r\n name*=utf-8''%C3%BC\r\nno field\r\nContent-ID: <x>\r\n";
        assert_eq!(repair_fields(part.as_bytes()), expected.as_bytes());
        assert!(matches!(repair_fields(b"A: b\r\n"), Cow::Borrowed(_)));
    }
}
