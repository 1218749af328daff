//! Takes command lines from the input. Only CRLF ends a line (RFC 5321 section 2.3.8).

use bytes::{Buf, BytesMut};

use crate::limits::LINE_EXCESS;

/// What came of the input, at most one for each line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line, without its CRLF.
    Whole(BytesMut),
    /// The line is longer than it may be. What is left of it will be skipped.
    TooLong,
    /// The line holds a CR or an LF on its own. What is left of it will be skipped.
    BareLineEnd,
    /// A line that was refused goes on without end.
    Flood,
}

/// Where the reader stands in the current line, so that no octet is looked at twice however the input is cut.
#[derive(Debug, Default)]
pub(crate) struct LineReader {
    scanned: usize,
    /// Octets skipped of a line that has been refused.
    skipped: Option<usize>,
}

impl LineReader {
    /// The next line of `input`, at most `limit` octets long with its CRLF; `None` when more input is needed.
    pub(crate) fn next(&mut self, input: &mut BytesMut, limit: usize) -> Option<Line> {
        if let Some(skipped) = self.skipped {
            return self.skip(input, skipped, limit);
        }
        let found = self.scan(input, limit)?;
        match found {
            Line::TooLong | Line::BareLineEnd => self.skipped = Some(0),
            Line::Whole(_) | Line::Flood => {}
        }
        self.scanned = 0;
        Some(found)
    }

    fn scan(&mut self, input: &mut BytesMut, limit: usize) -> Option<Line> {
        let text = input.get(..limit.min(input.len())).unwrap_or_default();
        let unscanned = text.get(self.scanned..).unwrap_or_default();
        let Some(offset) = memchr::memchr2(b'\r', b'\n', unscanned) else {
            self.scanned = text.len();
            return (text.len() >= limit).then(|| refuse(input, limit, Line::TooLong));
        };
        let at = self.scanned + offset;
        match (text.get(at), text.get(at + 1)) {
            (Some(b'\r'), Some(b'\n')) => Some(Line::Whole(take_line(input, at))),
            (Some(b'\r'), None) if at + 1 >= limit => Some(refuse(input, at, Line::TooLong)),
            (Some(b'\r'), None) => {
                self.scanned = at;
                None
            }
            _ => Some(refuse(input, at + 1, Line::BareLineEnd)),
        }
    }

    /// Drops input up to the CRLF of a line that has been refused, and goes on to the line behind it.
    fn skip(&mut self, input: &mut BytesMut, skipped: usize, limit: usize) -> Option<Line> {
        if let Some(end) = memchr::memmem::find(input, b"\r\n") {
            input.advance(end + 2);
            self.skipped = None;
            return if skipped + end > LINE_EXCESS { Some(Line::Flood) } else { self.next(input, limit) };
        }
        let keep = usize::from(input.last() == Some(&b'\r'));
        let skipped = skipped + input.len() - keep;
        input.advance(input.len() - keep);
        self.skipped = Some(skipped);
        (skipped > LINE_EXCESS).then_some(Line::Flood)
    }
}

fn take_line(input: &mut BytesMut, end: usize) -> BytesMut {
    let line = input.split_to(end);
    input.advance(2);
    line
}

fn refuse(input: &mut BytesMut, upto: usize, line: Line) -> Line {
    input.advance(upto);
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every line of `input`, handed over in pieces of `step` octets.
    fn lines(input: &[u8], step: usize, limit: usize) -> Vec<Line> {
        let (mut reader, mut buffer, mut found) = (LineReader::default(), BytesMut::new(), Vec::new());
        for piece in input.chunks(step) {
            buffer.extend_from_slice(piece);
            while let Some(line) = reader.next(&mut buffer, limit) {
                let flood = line == Line::Flood;
                found.push(line);
                if flood {
                    return found;
                }
            }
        }
        found
    }

    fn whole(text: &str) -> Line {
        Line::Whole(BytesMut::from(text))
    }

    #[test]
    fn the_cut_of_the_input_does_not_matter() {
        let long = "A".repeat(40) + "\r\nNOOP\r\n";
        let flood = "A".repeat(LINE_EXCESS + 100) + "\r\nNOOP\r\n";
        let cases: [(&str, Vec<Line>); 9] = [
            ("NOOP\r\nQUIT\r\n", vec![whole("NOOP"), whole("QUIT")]),
            ("\r\n", vec![whole("")]),
            ("NOOP\nQUIT\r\nRSET\r\n", vec![Line::BareLineEnd, whole("RSET")]),
            ("NOOP\n", vec![Line::BareLineEnd]),
            ("NO\rOP\r\nRSET\r\n", vec![Line::BareLineEnd, whole("RSET")]),
            ("NOOP\r\r\nRSET\r\n", vec![Line::BareLineEnd, whole("RSET")]),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ1234\r\n", vec![whole("ABCDEFGHIJKLMNOPQRSTUVWXYZ1234")]),
            (&long, vec![Line::TooLong, whole("NOOP")]),
            (&flood, vec![Line::TooLong, Line::Flood]),
        ];
        for (input, expected) in cases {
            for step in 1..=input.len().min(64) {
                assert_eq!(lines(input.as_bytes(), step, 32), expected, "{input:.60?} in steps of {step}");
            }
        }
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_taken_and_one_octet_more_is_not() {
        let fits = "A".repeat(30) + "\r\n";
        let over = "A".repeat(31) + "\r\n";
        for step in 1..40 {
            assert_eq!(lines(fits.as_bytes(), step, 32), [whole(fits.trim_end())]);
            assert_eq!(lines(over.as_bytes(), step, 32), [Line::TooLong], "steps of {step}");
        }
    }
}
