//! Makes the text around the parts of a multipart fit to be sent.
//!
//! Preambles and epilogues are to be ignored (RFC 2046 section 5.1.1), and have no encoding: long lines are
//! broken, and octets that the next host cannot carry become question marks, as do NULs and CR or LF on their own.

use super::plan::Target;
use crate::header::MAX_LINE;

/// A preamble or an epilogue under way.
#[derive(Debug)]
pub(super) struct SurroundingText {
    target: Target,
    column: usize,
    /// A CR, which is written once its LF has come.
    has_cr: bool,
}

impl SurroundingText {
    pub(super) fn new(target: Target) -> Self {
        Self { target, column: 0, has_cr: false }
    }

    pub(super) fn feed(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for octet in octets {
            self.octet(*octet, out);
        }
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        if self.has_cr {
            self.write(b'?', out);
        }
    }

    fn octet(&mut self, octet: u8, out: &mut Vec<u8>) {
        match (std::mem::take(&mut self.has_cr), octet) {
            (true, b'\n') => {
                out.extend_from_slice(b"\r\n");
                self.column = 0;
                return;
            }
            (true, _) => self.write(b'?', out),
            (false, _) => {}
        }
        match octet {
            b'\r' => self.has_cr = true,
            b'\n' | 0 => self.write(b'?', out),
            _ if octet.is_ascii() || self.target == Target::EightBit => self.write(octet, out),
            _ => self.write(b'?', out),
        }
    }

    fn write(&mut self, octet: u8, out: &mut Vec<u8>) {
        self.make_room(out);
        out.push(octet);
    }

    /// A line that is broken goes on behind a blank, so that it cannot become a delimiter line.
    fn make_room(&mut self, out: &mut Vec<u8>) {
        if self.column == MAX_LINE {
            out.extend_from_slice(b"\r\n ");
            self.column = 1;
        }
        self.column += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_and_octets_replaced_where_they_must_be() {
        let x = |count: usize| "x".repeat(count);
        for (text, target, written) in [
            ("é\r\n".to_owned(), Target::EightBit, "é\r\n".to_owned()),
            ("é\r\n".to_owned(), Target::SevenBit, "??\r\n".to_owned()),
            (x(998) + "\r\n" + &x(998), Target::SevenBit, x(998) + "\r\n" + &x(998)),
            (x(998) + "--b", Target::EightBit, x(998) + "\r\n --b"),
            (x(1996), Target::EightBit, x(998) + "\r\n " + &x(997) + "\r\n x"),
            ("a\n--b\r--b\r\r\n\0\r\n\r".to_owned(), Target::EightBit, "a?--b?--b?\r\n?\r\n?".to_owned()),
        ] {
            let mut out = Vec::new();
            let mut surrounding = SurroundingText::new(target);
            text.as_bytes().chunks(11).for_each(|octets| surrounding.feed(octets, &mut out));
            surrounding.finish(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), written, "{text}");
        }
    }
}
