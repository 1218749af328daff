//! Finds octets that no text made of lines has: NUL, and CR or LF on its own (RFC 2045 sections 2.7 to 2.9).

use memchr::memchr3;

/// Octets that arrive in chunks.
#[derive(Debug, Default)]
pub(super) struct BinaryOctets {
    /// The last octet was a CR, whose LF may come with the next chunk.
    after_cr: bool,
    found: bool,
}

/// Whether there are any in it.
pub(super) fn has_binary_octets(octets: &[u8]) -> bool {
    let mut binary = BinaryOctets::default();
    binary.feed(octets);
    binary.finish()
}

impl BinaryOctets {
    pub(super) fn feed(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while !self.found && !rest.is_empty() {
            rest = if self.after_cr { self.behind_cr(rest) } else { self.up_to_special(rest) };
        }
    }

    /// Whether there were any.
    pub(super) fn finish(self) -> bool {
        self.found || self.after_cr
    }

    fn behind_cr<'a>(&mut self, octets: &'a [u8]) -> &'a [u8] {
        self.after_cr = false;
        let rest = octets.strip_prefix(b"\n");
        self.found = rest.is_none();
        rest.unwrap_or_default()
    }

    fn up_to_special<'a>(&mut self, octets: &'a [u8]) -> &'a [u8] {
        let special = memchr3(b'\r', b'\n', 0, octets).and_then(|at| octets.get(at..));
        match special {
            Some([b'\r', rest @ ..]) => {
                self.after_cr = true;
                rest
            }
            Some(_) => {
                self.found = true;
                b""
            }
            None => b"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_found_however_the_text_is_cut() {
        for (octets, found) in [
            (&b""[..], false),
            (b"a\r\n\r\nb", false),
            (b"\xff\r\n", false),
            (b"a\0b", true),
            (b"a\nb", true),
            (b"a\r\r\n", true),
            (b"a\r\n\n", true),
            (b"a\rb", true),
            (b"a\r", true),
        ] {
            for chunk in 1..=4 {
                let mut binary = BinaryOctets::default();
                octets.chunks(chunk).for_each(|octets| binary.feed(octets));
                assert_eq!(binary.finish(), found, "{} by {chunk}", octets.escape_ascii());
            }
        }
    }
}
