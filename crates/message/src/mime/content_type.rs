//! The field Content-Type: the media type, and the boundary of a multipart (RFC 2045 section 5.1).

use std::borrow::Cow;

use memchr::memchr;

use crate::header::MAX_LINE;

/// The longest boundary of which a delimiter line, `--` before it and `--` behind it, can be sent. RFC 2046
/// section 5.1.1 allows 70 octets.
const MAX_BOUNDARY: usize = MAX_LINE - 4;

/// A Content-Type, as its octets stand in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ContentType<'a> {
    main: &'a [u8],
    sub: &'a [u8],
    parameters: &'a [u8],
}

impl<'a> ContentType<'a> {
    /// What cannot be read is text/plain: RFC 2045 section 5.2.
    pub(super) fn read(value: &'a [u8]) -> Self {
        Self::read_media(value).unwrap_or(Self { main: b"text", sub: b"plain", parameters: b"" })
    }

    fn read_media(value: &'a [u8]) -> Option<Self> {
        let (main, rest) = take_token(skip_cfws(value));
        let (sub, parameters) = take_token(skip_cfws(skip_cfws(rest).strip_prefix(b"/")?));
        (!main.is_empty() && !sub.is_empty()).then_some(Self { main, sub, parameters })
    }

    /// Whether it is of this type, whatever the subtype.
    pub(super) fn is_main(&self, main: &str) -> bool {
        self.main.eq_ignore_ascii_case(main.as_bytes())
    }

    pub(super) fn is_sub(&self, sub: &str) -> bool {
        self.sub.eq_ignore_ascii_case(sub.as_bytes())
    }

    /// The boundary, if there is one that a delimiter line can have. Its blanks at the end do not count, as
    /// those of a delimiter line do not.
    pub(super) fn boundary(&self) -> Option<Box<[u8]>> {
        let boundary = self.plain_boundary().or_else(|| self.continued_boundary())?;
        let boundary = boundary.trim_ascii_end();
        let can_stand = boundary.iter().all(|octet| matches!(octet, b' '..=b'~'));
        (!boundary.is_empty() && boundary.len() <= MAX_BOUNDARY && can_stand).then(|| boundary.into())
    }

    fn plain_boundary(&self) -> Option<Vec<u8>> {
        let (_, value) = self.parameters().find(|(name, _)| name.eq_ignore_ascii_case(b"boundary"))?;
        Some(value.into_owned())
    }

    /// A boundary in sections or with a character set, or both: `boundary*`, `boundary*0*`, `boundary*1`.
    /// RFC 2231 sections 3 and 4.
    fn continued_boundary(&self) -> Option<Vec<u8>> {
        let mut sections: Vec<(u32, Vec<u8>)> = self.parameters().filter_map(read_section).collect();
        sections.sort_by_key(|(number, _)| *number);
        let in_order =
            (0..).zip(sections).map_while(|(place, (number, octets))| (place == number).then_some(octets));
        let boundary: Vec<u8> = in_order.flatten().collect();
        (!boundary.is_empty()).then_some(boundary)
    }

    fn parameters(&self) -> impl Iterator<Item = (&'a [u8], Cow<'a, [u8]>)> {
        let mut rest = self.parameters;
        std::iter::from_fn(move || {
            let (_, next) = rest.split_at_checked(memchr(b';', rest)? + 1)?;
            let (name, after) = take_token(skip_cfws(next));
            let Some(value) = skip_cfws(after).strip_prefix(b"=") else {
                rest = after;
                return Some((name, Cow::Borrowed(&b""[..])));
            };
            let (value, after) = take_value(skip_cfws(value));
            rest = after;
            Some((name, value))
        })
    }
}

/// The number and the octets of a section of the boundary.
fn read_section((name, value): (&[u8], Cow<'_, [u8]>)) -> Option<(u32, Vec<u8>)> {
    let (start, section) = name.split_at_checked(b"boundary*".len())?;
    if !start.eq_ignore_ascii_case(b"boundary*") {
        return None;
    }
    let (number, extended) = match section.strip_suffix(b"*") {
        Some(number) => (number, true),
        None => (section, section.is_empty()),
    };
    let number = if number.is_empty() { 0 } else { std::str::from_utf8(number).ok()?.parse().ok()? };
    Some((number, if extended { decode_extended(&value, number == 0) } else { value.into_owned() }))
}

/// The octets of an extended value; the first has its character set and language before two apostrophes.
fn decode_extended(value: &[u8], first: bool) -> Vec<u8> {
    let without_charset = value.splitn(3, |octet| *octet == b'\'').nth(2);
    decode_percent(if first { without_charset.unwrap_or(value) } else { value })
}

fn decode_percent(mut value: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(value.len());
    while let Some((&first, rest)) = value.split_first() {
        match (first, rest) {
            (b'%', [high, low, after @ ..]) if let Some(octet) = from_hex(*high, *low) => {
                octets.push(octet);
                value = after;
            }
            _ => {
                octets.push(first);
                value = rest;
            }
        }
    }
    octets
}

fn from_hex(high: u8, low: u8) -> Option<u8> {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// `token` of RFC 2045 section 5.1, or whatever else stands there up to the next blank, bracket or separator.
fn take_token(input: &[u8]) -> (&[u8], &[u8]) {
    let ends = |octet: &u8| octet.is_ascii_whitespace() || matches!(octet, b'(' | b'/' | b';' | b'=' | b'"');
    let end = input.iter().position(ends).unwrap_or(input.len());
    input.split_at_checked(end).unwrap_or((input, b""))
}

/// `value := token / quoted-string`. Without quotes a value may have any octets but blanks and the semicolon:
/// many programs write boundaries with `=` or `/` so.
fn take_value(input: &[u8]) -> (Cow<'_, [u8]>, &[u8]) {
    if let Some(quoted) = input.strip_prefix(b"\"") {
        let (value, rest) = take_quoted(quoted);
        return (Cow::Owned(value), rest);
    }
    let ends = |octet: &u8| octet.is_ascii_whitespace() || *octet == b';';
    let end = input.iter().position(ends).unwrap_or(input.len());
    let (value, rest) = input.split_at_checked(end).unwrap_or((input, b""));
    (Cow::Borrowed(value), rest)
}

/// The content of a quoted string whose opening quote was taken, unfolded.
fn take_quoted(mut rest: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut value = Vec::new();
    while let Some((&octet, after)) = rest.split_first() {
        rest = after;
        match octet {
            b'"' => break,
            b'\r' | b'\n' => {}
            b'\\' => {
                if let Some((&escaped, after)) = rest.split_first() {
                    value.push(escaped);
                    rest = after;
                }
            }
            _ => value.push(octet),
        }
    }
    (value, rest)
}

/// The rest behind white space, folds and comments, which may be nested.
pub(super) fn skip_cfws(mut input: &[u8]) -> &[u8] {
    let mut depth = 0u32;
    while let Some((&octet, rest)) = input.split_first() {
        input = match octet {
            b'(' => {
                depth = depth.saturating_add(1);
                rest
            }
            b')' if depth > 0 => {
                depth -= 1;
                rest
            }
            b'\\' if depth > 0 => rest.get(1..).unwrap_or_default(),
            _ if depth > 0 || octet.is_ascii_whitespace() => rest,
            _ => return input,
        };
    }
    input
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boundary(value: &str) -> Option<String> {
        let boundary = ContentType::read(value.as_bytes()).boundary();
        boundary.map(|octets| String::from_utf8(octets.into()).unwrap())
    }

    #[test]
    fn the_media_type_is_found_among_blanks_and_comments() {
        for (value, main, sub) in [
            (" text/html", "text", "html"),
            ("TEXT / HTML; charset=x", "text", "html"),
            ("\r\n (a (b) \\) c)image/(x)png", "image", "png"),
            (" multipart/mixed;boundary=x", "multipart", "mixed"),
            (" text", "text", "plain"),
            ("", "text", "plain"),
            (" application/ ; x", "text", "plain"),
            (" (open image/png", "text", "plain"),
        ] {
            let found = ContentType::read(value.as_bytes());
            assert!(found.is_main(main) && found.is_sub(sub), "{value:?}: {found:?}");
        }
    }

    #[test]
    fn a_boundary_is_found_in_any_form() {
        for (value, expected) in [
            (" multipart/mixed; boundary=abc", "abc"),
            (" multipart/mixed; charset=x; Boundary = \"a b\"; y=z", "a b"),
            (" multipart/mixed;\r\n\tboundary=\"----=_Part;1\"\r\n", "----=_Part;1"),
            (" multipart/mixed; boundary=----=_Part/1(2)", "----=_Part/1(2)"),
            (" multipart/mixed; boundary=abc (comment)", "abc"),
            (" multipart/mixed; (boundary=no) boundary=yes", "yes"),
            (" multipart/mixed; x=\"; boundary=no\"; boundary=yes", "yes"),
            (" multipart/mixed; boundary=\"a\\\"b\\\\c\"", "a\"b\\c"),
            (" multipart/mixed; boundary=\"ab  \"", "ab"),
            (" multipart/mixed; boundary=\"a\r\n b\"", "a b"),
            (" multipart/mixed; boundary=first; boundary=second", "first"),
            (" multipart/mixed; flag; boundary=abc", "abc"),
            (" multipart/mixed;; boundary=abc", "abc"),
            (" multipart/mixed; boundary*=us-ascii'en'a%20b", "a b"),
            (" multipart/mixed; boundary*1=cd; boundary*0=ab", "abcd"),
            (" multipart/mixed; boundary*0*=''a%3Db; boundary*1=%20; boundary*2*=%21%", "a=b%20!%"),
            (" multipart/mixed; boundary*0=ab; boundary*2=ef", "ab"),
            (" multipart/mixed; boundary*0=no; boundary=yes", "yes"),
        ] {
            assert_eq!(boundary(value).as_deref(), Some(expected), "{value:?}");
        }
    }

    #[test]
    fn a_boundary_that_no_delimiter_line_can_have_is_none() {
        for value in [
            " multipart/mixed",
            " multipart/mixed; boundary",
            " multipart/mixed; boundary=",
            " multipart/mixed; boundary=\"  \"",
            " multipart/mixed; boundary=\"gr\u{fc}n\"",
            " multipart/mixed boundary=abc",
            " multipart/mixed; boundary*x=abc",
            &format!(" multipart/mixed; boundary={}", "b".repeat(MAX_BOUNDARY + 1)),
        ] {
            assert_eq!(boundary(value), None, "{value:?}");
        }
        let longest = "b".repeat(MAX_BOUNDARY);
        assert_eq!(boundary(&format!(" multipart/mixed; boundary={longest}")), Some(longest));
    }
}
