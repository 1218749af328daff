//! Breaks the long lines of content that is quoted-printable already, and escapes its raw octets.
//!
//! What the decoded content is does not change, neither for readers who remove blanks at the end of lines, as
//! RFC 2045 section 6.7 rule 3 has it, nor for those who do not.

use super::encoded_line::EncodedLine;

/// The most blanks that are held back. A line of them alone can still be sent.
const MAX_BLANKS: usize = 900;

/// A content under way.
#[derive(Debug, Default)]
pub(super) struct SoftBreaks {
    line: EncodedLine,
    escape: Escape,
    /// Blanks, which count if something follows in the line.
    blanks: Vec<u8>,
    has_cr: bool,
}

/// What of an `=XX` or a soft line break has come.
#[derive(Debug, Default, Clone, Copy)]
enum Escape {
    #[default]
    None,
    /// The sign, with perhaps blanks behind it.
    Sign,
    /// The sign and a digit.
    Digit(u8),
}

impl SoftBreaks {
    pub(super) fn feed(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        for octet in octets {
            self.octet(*octet, out);
        }
    }

    pub(super) fn finish(mut self, out: &mut Vec<u8>) {
        if self.has_cr {
            self.lone_cr(out);
        }
        self.end_line_text(out);
    }

    fn octet(&mut self, octet: u8, out: &mut Vec<u8>) {
        if self.has_cr {
            if octet == b'\n' {
                self.has_cr = false;
                self.end_line_text(out);
                return self.line.end(out);
            }
            self.lone_cr(out);
        }
        if self.continues_escape(octet, out) {
            return;
        }
        match octet {
            b'\r' => self.has_cr = true,
            b' ' | b'\t' => self.blank(octet, out),
            b'=' => {
                self.inner_blanks(out);
                self.escape = Escape::Sign;
            }
            b'!'..=b'~' => {
                self.inner_blanks(out);
                self.line.literal(octet, out);
            }
            _ => {
                self.inner_blanks(out);
                self.line.escaped(octet, out);
            }
        }
    }

    /// Takes an octet behind `=` that belongs to it. If it does not, the sign stood for itself.
    fn continues_escape(&mut self, octet: u8, out: &mut Vec<u8>) -> bool {
        match self.escape {
            Escape::None => return false,
            Escape::Sign if octet.is_ascii_hexdigit() && self.blanks.is_empty() => {
                self.escape = Escape::Digit(octet);
                return true;
            }
            // They may be the end of a soft line break.
            Escape::Sign if matches!(octet, b' ' | b'\t' | b'\r') => return false,
            Escape::Digit(digit) if octet.is_ascii_hexdigit() => {
                self.escape = Escape::None;
                self.line.escape([digit, octet], out);
                return true;
            }
            Escape::Sign | Escape::Digit(_) => {}
        }
        self.literal_escape(out);
        false
    }

    /// Writes a sign that begins nothing.
    fn literal_escape(&mut self, out: &mut Vec<u8>) {
        let escape = std::mem::take(&mut self.escape);
        if !matches!(escape, Escape::None) {
            self.line.escaped(b'=', out);
        }
        if let Escape::Digit(digit) = escape {
            self.line.literal(digit, out);
        }
    }

    fn lone_cr(&mut self, out: &mut Vec<u8>) {
        self.has_cr = false;
        self.literal_escape(out);
        self.inner_blanks(out);
        self.line.escaped(b'\r', out);
    }

    fn blank(&mut self, blank: u8, out: &mut Vec<u8>) {
        if self.blanks.len() == MAX_BLANKS {
            self.literal_escape(out);
            self.inner_blanks(out);
        }
        self.blanks.push(blank);
    }

    fn inner_blanks(&mut self, out: &mut Vec<u8>) {
        for blank in std::mem::take(&mut self.blanks) {
            self.line.literal(blank, out);
        }
    }

    /// Writes what stands before the end of a line: a soft line break or not, and the blanks behind it.
    fn end_line_text(&mut self, out: &mut Vec<u8>) {
        let blanks = std::mem::take(&mut self.blanks);
        if let Escape::Sign = self.escape {
            self.escape = Escape::None;
            out.push(b'=');
            out.extend_from_slice(&blanks);
        } else {
            self.literal_escape(out);
            self.line.uncounted_blanks(&blanks, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mime::decoded::quoted_printable;

    fn broken(content: &[u8], chunk: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut encoder = SoftBreaks::default();
        content.chunks(chunk).for_each(|octets| encoder.feed(octets, &mut out));
        encoder.finish(&mut out);
        out
    }

    #[test]
    fn escapes_are_kept_whole_and_raw_octets_become_some() {
        let x = |count: usize| "x".repeat(count);
        for (content, encoded) in [
            (String::new(), String::new()),
            ("a=3d=\r\nb\r\n".into(), "a=3d=\r\nb\r\n".into()),
            (x(80), x(75) + "=\r\n" + &x(5)),
            (x(74) + "=3D", x(74) + "=\r\n=3D"),
            (x(73) + "é", x(73) + "=\r\n=C3=A9"),
            (x(75) + "=\r\n", x(75) + "=\r\n"),
            (x(75) + "--b--\r\n", x(75) + "=\r\n-=2Db--\r\n"),
            // Signs that begin nothing.
            ("a=b=zz==3D".into(), "a=3Db=3Dzz=3D=3D".into()),
            ("= x=".into(), "=3D x=".into()),
            ("=3".into(), "=3D3".into()),
            // Blanks at the end of a line, also of one that is long, and behind a soft line break.
            ("a \t\r\n \r\n".into(), "a \t\r\n \r\n".into()),
            (x(74) + "  \r\n", x(74) + "=\r\n  \r\n"),
            (x(9) + &" ".repeat(900) + "\r\n", x(9) + "=\r\n" + &" ".repeat(900) + "\r\n"),
            (x(74) + "  y\r\n", x(74) + " =\r\n y\r\n"),
            ("a= \t\r\nb".into(), "a= \t\r\nb".into()),
            ("a \rb".into(), "a =0Db".into()),
        ] {
            assert_eq!(String::from_utf8(broken(content.as_bytes(), 7)).unwrap(), encoded, "{content:?}");
        }
    }

    proptest! {
        #[test]
        fn decoded_it_is_what_it_was(
            content in "([\t =é-]|[!-~ ]{0,90}|=[0-9A-F]{2}| {950}x|=\r\n|\r\n){0,60}",
            chunk in 1..100usize,
        ) {
            let encoded = broken(content.as_bytes(), chunk);
            prop_assert_eq!(&encoded, &broken(content.as_bytes(), usize::MAX));
            prop_assert!(encoded.is_ascii());
            prop_assert_eq!(quoted_printable(&encoded), quoted_printable(content.as_bytes()));
            let printed = |line: &[u8]| line.trim_ascii_end().len();
            prop_assert!(encoded.split(|octet| *octet == b'\n').all(|line| line.len() < 1000 && printed(line) <= 76));
        }
    }
}
