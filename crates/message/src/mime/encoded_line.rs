//! A line of quoted-printable under way (RFC 2045 section 6.7).

/// The most octets of a line before the `=` of a soft line break: rule 5 allows 76 with it.
const MAX_ENCODED_LINE: usize = 75;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// The line that is written at the moment.
#[derive(Debug, Default)]
pub(super) struct EncodedLine {
    column: usize,
    begins_with_dash: bool,
}

impl EncodedLine {
    /// Writes an octet as it is, but for the second dash at the start of a line, so that a line which was none
    /// before cannot become a delimiter line.
    pub(super) fn literal(&mut self, octet: u8, out: &mut Vec<u8>) {
        if octet == b'-' && self.column == 1 && self.begins_with_dash {
            return self.escaped(octet, out);
        }
        self.make_room(1, out);
        if self.column == 0 {
            self.begins_with_dash = octet == b'-';
        }
        out.push(octet);
        self.column += 1;
    }

    /// Writes an octet as `=XX`. The first octet of a character makes room for all of it.
    pub(super) fn escaped(&mut self, octet: u8, out: &mut Vec<u8>) {
        self.make_room(3 * character_length(octet), out);
        out.extend([b'=', hex_digit(octet >> 4), hex_digit(octet & 15)]);
        self.column += 3;
    }

    /// Writes an `=XX` with the digits that it came with.
    pub(super) fn escape(&mut self, digits: [u8; 2], out: &mut Vec<u8>) {
        self.make_room(3, out);
        out.push(b'=');
        out.extend(digits);
        self.column += 3;
    }

    /// Writes blanks that do not count, because nothing follows them in the line, and must not come to stand
    /// before a soft line break, where they would.
    pub(super) fn uncounted_blanks(&mut self, blanks: &[u8], out: &mut Vec<u8>) {
        if !blanks.is_empty() {
            self.make_room(blanks.len(), out);
            out.extend_from_slice(blanks);
            self.column += blanks.len();
        }
    }

    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n");
        *self = Self::default();
    }

    pub(super) fn soft_break(&mut self, out: &mut Vec<u8>) {
        out.push(b'=');
        self.end(out);
    }

    fn make_room(&mut self, length: usize, out: &mut Vec<u8>) {
        if self.column > 0 && self.column + length > MAX_ENCODED_LINE {
            self.soft_break(out);
        }
    }
}

/// The octets of the UTF-8 character that begins with this one.
fn character_length(octet: u8) -> usize {
    match octet {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

fn hex_digit(value: u8) -> u8 {
    HEX.get(usize::from(value)).copied().unwrap_or(b'0')
}
