//! Reading secret text so that nothing of it is left behind in memory.
//!
//! A string that grows while it is read leaves copies of itself in memory that was given back, and nobody wipes them.

use std::io::{self, Read};

use zeroize::Zeroizing;

/// Reads text of at most so many octets; what comes behind them is not read. Wiped when it is dropped.
///
/// # Errors
/// When it can't be read, or is not UTF-8 ([`io::ErrorKind::InvalidData`]).
pub fn read_secret_text(mut source: impl Read, at_most: usize) -> io::Result<Zeroizing<String>> {
    // All the room there will ever be, so that it never moves.
    let mut octets = Zeroizing::new(vec![0; at_most]);
    let mut length = 0;
    while let Some(rest) = octets.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match source.read(rest) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    octets.truncate(length);
    match String::from_utf8(std::mem::take(&mut *octets)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(io::ErrorKind::InvalidData.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one octet at a time.
    struct Drop<'a>(&'a [u8]);

    impl Read for Drop<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut into[..1])
        }
    }

    #[test]
    fn text_is_read_to_its_end_and_no_further_than_allowed() {
        let read = |octets, at_most| read_secret_text(Drop(octets), at_most).map(|text| text.to_string());
        assert_eq!(read(b"", 5).unwrap(), "");
        assert_eq!(read("na\u{ef}ve".as_bytes(), 6).unwrap(), "na\u{ef}ve");
        assert_eq!(read(b"1234567", 5).unwrap(), "12345");
        assert_eq!(read(b"\xff", 5).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn text_never_moves_while_it_is_read() {
        let text = read_secret_text(&b"1 c2VjcmV0"[..], 64 * 1024).unwrap();
        assert!(text.capacity() >= 64 * 1024);
    }
}
