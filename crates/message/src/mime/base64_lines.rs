//! Encodes content as base64, and wraps content that is base64 already (RFC 2045 section 6.8).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The octets of content that make one line.
const OCTETS: usize = 57;

/// The most octets of a line.
const LINE: usize = 76;

/// A content under way.
#[derive(Debug, Default)]
pub(super) struct Base64 {
    /// What does not fill a line yet.
    open: Vec<u8>,
    has_line: bool,
}

impl Base64 {
    pub(super) fn feed(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let wanted = if self.open.is_empty() { 0 } else { OCTETS - self.open.len() };
        let (first, rest) = octets.split_at_checked(wanted).unwrap_or((octets, b""));
        self.open.extend_from_slice(first);
        if self.open.len() == OCTETS {
            let line = std::mem::take(&mut self.open);
            self.line(&line, out);
        }
        let lines = rest.chunks_exact(OCTETS);
        self.open.extend_from_slice(lines.remainder());
        lines.for_each(|line| self.line(line, out));
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        if !self.open.is_empty() {
            let line = std::mem::take(&mut self.open);
            self.line(&line, out);
        }
    }

    fn line(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.has_line, true) {
            out.extend_from_slice(b"\r\n");
        }
        let mut line = [0; LINE];
        let length = STANDARD.encode_slice(octets, &mut line).unwrap_or_default();
        out.extend_from_slice(line.get(..length).unwrap_or_default());
    }
}

/// A content that is base64 already, under way.
#[derive(Debug, Default)]
pub(super) struct WrappedBase64 {
    column: usize,
}

impl WrappedBase64 {
    /// Leaves out what is not of the alphabet, as decoders must.
    pub(super) fn feed(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for octet in octets.iter().filter(|octet| is_of_alphabet(**octet)) {
            if self.column == LINE {
                out.extend_from_slice(b"\r\n");
                self.column = 0;
            }
            out.push(*octet);
            self.column += 1;
        }
    }
}

fn is_of_alphabet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mime::decoded::base64;

    #[test]
    fn lines_have_76_octets_and_the_last_is_open() {
        for (length, lines) in [
            (0, &[0][..]),
            (1, &[4]),
            (56, &[76]),
            (57, &[76]),
            (58, &[76, 4]),
            (171, &[76, 76, 76]),
            (172, &[76, 76, 76, 4]),
        ] {
            let mut encoded = Vec::new();
            let mut encoder = Base64::default();
            encoder.feed(&vec![b'x'; length], &mut encoded);
            encoder.finish(&mut encoded);
            let text = String::from_utf8(encoded).unwrap();
            assert_eq!(text.split("\r\n").map(str::len).collect::<Vec<_>>(), lines, "{length}");
        }
    }

    proptest! {
        #[test]
        fn decoded_it_is_what_it_was(
            content in proptest::collection::vec(any::<u8>(), 0..400),
            chunk in 1..200usize,
        ) {
            let mut encoded = Vec::new();
            let mut encoder = Base64::default();
            content.chunks(chunk).for_each(|octets| encoder.feed(octets, &mut encoded));
            encoder.finish(&mut encoded);
            prop_assert_eq!(&base64(&encoded), &content);
            let long = STANDARD.encode(&content).replace('A', "A é");
            let mut wrapped = Vec::new();
            let mut encoder = WrappedBase64::default();
            long.as_bytes().chunks(chunk).for_each(|octets| encoder.feed(octets, &mut wrapped));
            prop_assert_eq!(wrapped, encoded);
        }
    }
}
