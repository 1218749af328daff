//! Encodes content as quoted-printable (RFC 2045 section 6.7).

use super::encoded_line::EncodedLine;

/// A content under way. Its CRLFs stay, and what else is not printable is escaped.
#[derive(Debug, Default)]
pub(super) struct QuotedPrintable {
    line: EncodedLine,
    /// A blank, which is escaped if the line ends behind it (rule 3).
    blank: Option<u8>,
    /// Whether a CR came behind it.
    has_cr: bool,
}

impl QuotedPrintable {
    pub(super) fn feed(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for octet in octets {
            self.octet(*octet, out);
        }
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        if self.has_cr {
            self.lone_cr(out);
        } else {
            self.last_blank(out);
        }
    }

    fn octet(&mut self, octet: u8, out: &mut Vec<u8>) {
        if self.has_cr {
            if octet == b'\n' {
                self.has_cr = false;
                self.last_blank(out);
                return self.line.end(out);
            }
            self.lone_cr(out);
        }
        if octet == b'\r' {
            self.has_cr = true;
            return;
        }
        self.inner_blank(out);
        match octet {
            b' ' | b'\t' => self.blank = Some(octet),
            b'=' => self.line.escaped(octet, out),
            b'!'..=b'~' => self.line.literal(octet, out),
            _ => self.line.escaped(octet, out),
        }
    }

    fn lone_cr(&mut self, out: &mut Vec<u8>) {
        self.has_cr = false;
        self.inner_blank(out);
        self.line.escaped(b'\r', out);
    }

    fn inner_blank(&mut self, out: &mut Vec<u8>) {
        if let Some(blank) = self.blank.take() {
            self.line.literal(blank, out);
        }
    }

    fn last_blank(&mut self, out: &mut Vec<u8>) {
        if let Some(blank) = self.blank.take() {
            self.line.escaped(blank, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mime::decoded::quoted_printable;

    fn encode(content: &[u8], chunk: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = QuotedPrintable::default();
        content.chunks(chunk).for_each(|octets| encoder.feed(octets, &mut out));
        encoder.finish(&mut out);
        out
    }

    #[test]
    fn what_is_not_printable_is_escaped() {
        let x = |count: usize| "x".repeat(count);
        for (content, encoded) in [
            (String::new(), String::new()),
            ("plain text\r\n".into(), "plain text\r\n".into()),
            ("a=b\0\x7f\r\n".into(), "a=3Db=00=7F\r\n".into()),
            ("Grüße\t\r\n \r\nx ".into(), "Gr=C3=BC=C3=9Fe=09\r\n=20\r\nx=20".into()),
            ("a \r\r\nb\nc\r".into(), "a =0D\r\nb=0Ac=0D".into()),
            // Lines are broken before they are too long, and not within a character.
            (x(75), x(75)),
            (x(76), x(75) + "=\r\nx"),
            (x(72) + "é", x(72) + "=\r\n=C3=A9"),
            (x(69) + "é", x(69) + "=C3=A9"),
            (x(74) + " y", x(74) + " =\r\ny"),
            (x(74) + " \r\n", x(74) + "=\r\n=20\r\n"),
            // No line becomes a delimiter line.
            (x(75) + "--b", x(75) + "=\r\n-=2Db"),
            ("--b\r\n- c\r\n---".into(), "-=2Db\r\n- c\r\n-=2D-".into()),
        ] {
            assert_eq!(String::from_utf8(encode(content.as_bytes(), 9)).unwrap(), encoded, "{content:?}");
        }
    }

    proptest! {
        #[test]
        fn decoded_it_is_what_it_was(
            content in "([ \t\r\n=é🦀\u{0}-]|[ -~]{0,90}|\r\n){0,60}",
            chunk in 1..100usize,
        ) {
            let encoded = encode(content.as_bytes(), chunk);
            prop_assert_eq!(&encoded, &encode(content.as_bytes(), usize::MAX));
            prop_assert_eq!(quoted_printable(&encoded), content.as_bytes());
            prop_assert!(encoded.split(|octet| *octet == b'\n').all(|line| line.len() <= 77), "a line is too long");
        }
    }
}
