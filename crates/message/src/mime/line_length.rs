//! Finds out whether text has lines that are too long to be sent (RFC 5322 section 2.1.1).

use memchr::memrchr;

use crate::header::MAX_LINE;

/// The most octets of a line with its CRLF.
const LONGEST: usize = MAX_LINE + 2;

/// Whether any line of a section has more than [`MAX_LINE`] octets.
pub(super) fn has_long_line(section: &[u8]) -> bool {
    let mut lines = LineLength::default();
    lines.feed(section);
    lines.finish()
}

/// A text that arrives in chunks, whose lines end with CRLF.
#[derive(Debug, Default)]
pub(super) struct LineLength {
    /// The octets of the line that is open.
    open_line: usize,
    found_long: bool,
}

impl LineLength {
    /// Steps from the end of a line to the last end of a line that can be reached within [`LONGEST`] octets, so
    /// that not every line is looked at.
    pub(super) fn feed(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while !self.found_long && !rest.is_empty() {
            let window = LONGEST.saturating_sub(self.open_line).min(rest.len());
            match rest.get(..window).and_then(|octets| memrchr(b'\n', octets)) {
                Some(newline) => {
                    self.open_line = 0;
                    rest = rest.get(newline + 1..).unwrap_or_default();
                }
                None if window == rest.len() => {
                    self.open_line += window;
                    rest = b"";
                }
                None => self.found_long = true,
            }
        }
    }

    /// Whether there was a long line. The last may lack its CRLF.
    pub(super) fn finish(self) -> bool {
        self.found_long || self.open_line > MAX_LINE
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_have_998_octets_at_most() {
        let line = |length: usize| "x".repeat(length);
        for (text, long) in [
            (String::new(), false),
            (line(998), false),
            (line(999), true),
            (line(998) + "\r\n", false),
            (line(999) + "\r\n", true),
            (line(1000), true),
            (line(998) + "\r\n" + &line(998) + "\r\n\r\n", false),
            ("\r\n".repeat(600) + &line(998) + "\r\n" + &line(999), true),
            ("\r\n".repeat(600) + &line(999) + "\r\n\r\n", true),
        ] {
            assert_eq!(has_long_line(text.as_bytes()), long, "{}", text.len());
        }
    }

    proptest! {
        #[test]
        fn it_is_what_a_look_at_each_line_finds(
            lengths in proptest::collection::vec(prop_oneof![0..80usize, 980..1010usize], 0..8),
            chunk in 1..1200usize,
        ) {
            let lines: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            let mut length = LineLength::default();
            lines.join("\r\n").as_bytes().chunks(chunk).for_each(|octets| length.feed(octets));
            prop_assert_eq!(length.finish(), lengths.iter().any(|length| *length > MAX_LINE));
        }
    }
}
