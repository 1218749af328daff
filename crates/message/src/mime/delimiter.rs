//! Delimiter lines, which begin and end the parts of multiparts (RFC 2046 section 5.1.1).

use super::untouchable::Untouchable;

/// A multipart that is open: its closing delimiter has not been seen yet.
#[derive(Debug)]
pub(super) struct OpenMultipart {
    pub(super) boundary: Box<[u8]>,
    /// Where its parts stand.
    pub(super) inside: Place,
}

/// Where an entity stands in the message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The number of composites around it.
    pub(super) depth: usize,
    /// Why it may not be touched, because of one of these.
    pub(super) untouchable: Option<Untouchable>,
    pub(super) in_digest: bool,
    /// Whether it is a message, with the fields of one, and not a part of a multipart.
    pub(super) is_message: bool,
}

/// What a delimiter line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Effect {
    /// The place of its multipart among those that are open.
    pub(super) level: usize,
    pub(super) closes: bool,
}

/// Finds what a line does, if it is a delimiter line of one of these multiparts, the innermost first: the
/// delimiter of an outer multipart ends the inner ones. Blanks at the end of the line do not count. Among octets that are no lines one ends
/// with CRLF alone, or with the message: a CR or LF on its own is an octet like others.
pub(super) fn read_delimiter(line: &[u8], open: &[OpenMultipart]) -> Option<Effect> {
    let line = line.strip_suffix(b"\r\n").unwrap_or(line);
    let text = trim_blanks(line.strip_prefix(b"--")?);
    let closing = text.strip_suffix(b"--");
    open.iter().enumerate().rev().find_map(|(level, multipart)| {
        if *multipart.boundary == *text {
            Some(Effect { level, closes: false })
        } else if closing == Some(&multipart.boundary) {
            Some(Effect { level, closes: true })
        } else {
            None
        }
    })
}

fn trim_blanks(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|octet| !matches!(octet, b' ' | b'\t')).map_or(0, |last| last + 1);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(boundaries: &[&str]) -> Vec<OpenMultipart> {
        let inside = Place { depth: 1, untouchable: None, in_digest: false, is_message: false };
        boundaries
            .iter()
            .map(|boundary| OpenMultipart { boundary: boundary.as_bytes().into(), inside })
            .collect()
    }

    #[test]
    fn the_whole_line_is_compared_and_the_innermost_counts() {
        for (boundaries, line, effect) in [
            (&["a"][..], "--a\r\n", Some((0, false))),
            (&["a"], "--a-- \t\r\n", Some((0, true))),
            (&["a"], "--a \t \r\n", Some((0, false))),
            (&["a"], "--a", Some((0, false))),
            (&["a"], "--ab\r\n", None),
            (&["a"], "--A\r\n", None),
            (&["a"], "-- a\r\n", None),
            (&["a"], "--a -- x\r\n", None),
            (&["a"], "-a\r\n", None),
            (&["a"], "--\r\n", None),
            (&["a"], "--a\n", None),
            (&["a"], "--a\r", None),
            (&["a"], "--a\r\r\n", None),
            (&["a"], "--a \0\r\n", None),
            (&["a", "b"], "--a--\r\n", Some((0, true))),
            (&["a", "b"], "--b\r\n", Some((1, false))),
            (&["a", "a"], "--a\r\n", Some((1, false))),
            (&["a--", "a"], "--a--\r\n", Some((1, true))),
            (&["a", "a--"], "--a--\r\n", Some((1, false))),
            (&["a b"], "--a b--\r\n", Some((0, true))),
            (&[], "--a\r\n", None),
        ] {
            let found = read_delimiter(line.as_bytes(), &open(boundaries));
            assert_eq!(found.map(|found| (found.level, found.closes)), effect, "{boundaries:?} {line:?}");
        }
    }
}
