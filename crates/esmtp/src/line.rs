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
}

/// A line that was refused goes on without end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Flood;

/// Where the reader stands in the current line, so that no octet is looked at twice however the input is cut.
#[derive(Debug, Default)]
pub(crate) struct LineReader {
    scanned: usize,
    /// Octets skipped of a line that has been refused.
    skipped: Option<usize>,
}

impl LineReader {
    /// Drops what has come of the rest of a line that was refused, and says whether there is more to come. From then on
    /// `input` begins with a line.
    ///
    /// # Errors
    /// [`Flood`] when the rest is too long even to be dropped.
    pub(crate) fn skip_refused(&mut self, input: &mut BytesMut) -> Result<bool, Flood> {
        let Some(skipped) = self.skipped else { return Ok(false) };
        let end = memchr::memmem::find(input, b"\r\n");
        let dropped = end.unwrap_or_else(|| input.len() - usize::from(input.last() == Some(&b'\r')));
        input.advance(end.map_or(dropped, |end| end + 2));
        self.skipped = end.is_none().then_some(skipped + dropped);
        if skipped + dropped > LINE_EXCESS { Err(Flood) } else { Ok(end.is_none()) }
    }

    /// The next line of `input`, which begins with one, at most `limit` octets long with its CRLF; `None` when more input is
    /// needed.
    pub(crate) fn next(&mut self, input: &mut BytesMut, limit: usize) -> Option<Line> {
        let found = self.scan(input, limit)?;
        match found {
            Line::TooLong | Line::BareLineEnd => self.skipped = Some(0),
            Line::Whole(_) => {}
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

    /// Every line of `input`, handed over in pieces of `step` octets, up to a flood.
    fn lines(input: &[u8], step: usize, limit: usize) -> Vec<Result<Line, Flood>> {
        let (mut reader, mut buffer, mut found) = (LineReader::default(), BytesMut::new(), Vec::new());
        for piece in input.chunks(step) {
            buffer.extend_from_slice(piece);
            loop {
                match reader.skip_refused(&mut buffer) {
                    Ok(true) => break,
                    Ok(false) => {}
                    Err(flood) => {
                        found.push(Err(flood));
                        return found;
                    }
                }
                let Some(line) = reader.next(&mut buffer, limit) else { break };
                found.push(Ok(line));
            }
        }
        found
    }

    fn whole(text: &str) -> Result<Line, Flood> {
        Ok(Line::Whole(BytesMut::from(text)))
    }

    #[test]
    fn the_cut_of_the_input_does_not_matter() {
        let long = "A".repeat(40) + "\r\nNOOP\r\n";
        let flood = "A".repeat(LINE_EXCESS + 100) + "\r\nNOOP\r\n";
        let cases: [(&str, Vec<Result<Line, Flood>>); 9] = [
            ("NOOP\r\nQUIT\r\n", vec![whole("NOOP"), whole("QUIT")]),
            ("\r\n", vec![whole("")]),
            ("NOOP\nQUIT\r\nRSET\r\n", vec![Ok(Line::BareLineEnd), whole("RSET")]),
            ("NOOP\n", vec![Ok(Line::BareLineEnd)]),
            ("NO\rOP\r\nRSET\r\n", vec![Ok(Line::BareLineEnd), whole("RSET")]),
            ("NOOP\r\r\nRSET\r\n", vec![Ok(Line::BareLineEnd), whole("RSET")]),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ1234\r\n", vec![whole("ABCDEFGHIJKLMNOPQRSTUVWXYZ1234")]),
            (&long, vec![Ok(Line::TooLong), whole("NOOP")]),
            (&flood, vec![Ok(Line::TooLong), Err(Flood)]),
        ];
        for (input, expected) in cases {
            for step in 1..=input.len().min(64) {
                assert_eq!(lines(input.as_bytes(), step, 32), expected, "{input:.60?} in steps of {step}");
            }
        }
    }

    #[test]
    fn what_is_left_of_a_refused_line_may_be_as_long_as_the_excess_and_no_longer() {
        let fits = "A".repeat(32 + LINE_EXCESS) + "\r\nNOOP\r\n";
        let over = "A".repeat(32 + LINE_EXCESS + 1) + "\r\nNOOP\r\n";
        for step in [1, 64, 1000, over.len()] {
            assert_eq!(lines(fits.as_bytes(), step, 32), [Ok(Line::TooLong), whole("NOOP")], "{step}");
            assert_eq!(lines(over.as_bytes(), step, 32), [Ok(Line::TooLong), Err(Flood)], "{step}");
        }
    }

    #[test]
    fn a_line_of_exactly_the_limit_is_taken_and_one_octet_more_is_not() {
        let fits = "A".repeat(30) + "\r\n";
        let over = "A".repeat(31) + "\r\n";
        for step in 1..40 {
            assert_eq!(lines(fits.as_bytes(), step, 32), [whole(fits.trim_end())]);
            assert_eq!(lines(over.as_bytes(), step, 32), [Ok(Line::TooLong)], "steps of {step}");
        }
    }
}
