//! Whether octets that arrive in chunks are UTF-8 (RFC 3629).

/// A text under way.
#[derive(Debug, Default)]
pub(super) struct Utf8 {
    /// The octets of a character that is not complete: fewer than four.
    open: Vec<u8>,
    is_broken: bool,
}

impl Utf8 {
    pub(super) fn feed(&mut self, octets: &[u8]) {
        let mut rest = octets;
        while !self.open.is_empty() && !self.is_broken {
            let Some((octet, after)) = rest.split_first() else { return };
            let mut character = std::mem::take(&mut self.open);
            character.push(*octet);
            self.check(&character);
            rest = after;
        }
        if !self.is_broken {
            self.check(rest);
        }
    }

    /// Whether all of it was UTF-8.
    pub(super) fn finish(self) -> bool {
        self.open.is_empty() && !self.is_broken
    }

    fn check(&mut self, octets: &[u8]) {
        if let Err(error) = std::str::from_utf8(octets) {
            self.is_broken = error.error_len().is_some();
            self.open.extend(octets.iter().skip(error.valid_up_to()).take(3));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_do_not_matter() {
        for text in [
            &b""[..],
            b"plain",
            "Grüße, 日本, 🦀".as_bytes(),
            b"caf\xe9",
            b"caf\xe9 au lait",
            b"\xf0\x9f\xa6",
            b"\xf0\x9f\xa6\x80",
            b"\xc3\xc3\xbc",
            b"\xed\xa0\x80",
            b"\xbc",
        ] {
            for chunk in 1..=4 {
                let mut utf8 = Utf8::default();
                text.chunks(chunk).for_each(|octets| utf8.feed(octets));
                assert_eq!(utf8.finish(), std::str::from_utf8(text).is_ok(), "{text:?} by {chunk}");
            }
        }
    }
}
