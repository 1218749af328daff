//! The fields of a part's header section, read with patience.
//!
//! The header section of the message is read strictly ([`Header`](crate::Header)); those of its parts are the
//! business of whoever reads the message, and are understood here as most readers understand them.

use memchr::memchr;

/// A field as its octets stand in the section, or a line that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PartField<'a> {
    /// The whole field with its line ends.
    pub(super) raw: &'a [u8],
    /// What stands before the colon, without blanks at its end; nothing if there is no colon.
    pub(super) name: &'a [u8],
    /// What stands after the colon, still folded.
    pub(super) value: &'a [u8],
}

impl PartField<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The fields of a header section without its blank line, each with its folded lines.
pub(super) fn part_fields(section: &[u8]) -> impl Iterator<Item = PartField<'_>> {
    let mut rest = section;
    std::iter::from_fn(move || {
        let (raw, after) = split_field(rest)?;
        rest = after;
        Some(read_field(raw))
    })
}

fn split_field(section: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut end = line_length(section)?;
    while let Some(b' ' | b'\t') = section.get(end) {
        end += section.get(end..).and_then(line_length)?;
    }
    section.split_at_checked(end)
}

/// The octets of the first line with its end; `None` if there is no line.
fn line_length(octets: &[u8]) -> Option<usize> {
    let end = memchr(b'\n', octets).map_or(octets.len(), |newline| newline + 1);
    (end > 0).then_some(end)
}

fn read_field(raw: &[u8]) -> PartField<'_> {
    match split_colon(raw) {
        Some((name, value)) => PartField { raw, name, value },
        None => PartField { raw, name: &[], value: &[] },
    }
}

fn split_colon(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = line.split_at_checked(memchr(b':', line)?)?;
    Some((name.trim_ascii_end(), value.strip_prefix(b":").unwrap_or(value)))
}

/// Whether a line can stand in a header section. The first that cannot begins the body, as readers have it
/// where the blank line is missing.
pub(super) fn is_header_line(line: &[u8], first: bool) -> bool {
    match line {
        [b' ' | b'\t', ..] => !first,
        // The separator line of a mailbox file.
        [b'F', b'r', b'o', b'm', b' ', ..] | [b'>', b'F', b'r', b'o', b'm', b' ', ..] if first => true,
        _ => split_colon(line)
            .is_some_and(|(name, _)| !name.is_empty() && name.iter().all(u8::is_ascii_graphic)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_cut_with_their_folds() {
        let section = b"A: b\r\nC :\r\n d\r\n \r\n\te\r\nFrom x\r\nf:g";
        let fields: Vec<_> = part_fields(section).map(|field| (field.raw, field.name, field.value)).collect();
        let expected: [(&[u8], &[u8], &[u8]); 4] = [
            (b"A: b\r\n", b"A", b" b\r\n"),
            (b"C :\r\n d\r\n \r\n\te\r\n", b"C", b"\r\n d\r\n \r\n\te\r\n"),
            (b"From x\r\n", b"", b""),
            (b"f:g", b"f", b"g"),
        ];
        assert_eq!(fields, expected);
        assert_eq!(part_fields(b"").count(), 0);
    }

    #[test]
    fn a_line_that_is_no_field_begins_the_body() {
        for (line, first, header) in [
            ("A: b\r\n", true, true),
            ("A :b\r\n", false, true),
            (" folded\r\n", false, true),
            (" indented\r\n", true, false),
            ("From a@b Fri Nov 21 03:53:00 2025\r\n", true, true),
            (">From a@b\r\n", true, true),
            ("From a@b Fri Nov 21 03:53:00 2025\r\n", false, false),
            ("Hello\r\n", false, false),
            ("Hello there: x\r\n", false, false),
            (": x\r\n", false, false),
            ("Grüße: x\r\n", false, false),
        ] {
            assert_eq!(is_header_line(line.as_bytes(), first), header, "{line:?}");
        }
    }
}
