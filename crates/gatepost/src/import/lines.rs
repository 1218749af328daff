//! Lines with their numbers, of a file that may hold anything.

use std::io::{self, BufRead, Read as _};

/// Far more than an account takes. WildDuck keeps keys and pictures in them.
const OCTETS: u64 = 16 * 1024 * 1024;

/// The lines of a file: each its number and its text, or what is wrong with it.
pub(super) struct Lines<R> {
    reader: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, number: 0 }
    }

    /// The text of the next line, without its end. `None` after the last.
    fn line(&mut self) -> io::Result<Option<Result<String, String>>> {
        let mut octets = Vec::new();
        if self.reader.by_ref().take(OCTETS).read_until(b'\n', &mut octets)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let ended = octets.pop_if(|last| *last == b'\n').is_some();
        if !ended && self.reader.skip_until(b'\n')? > 0 {
            return Ok(Some(Err("the line is longer than 16 MiB; this is no account".to_owned())));
        }
        octets.pop_if(|last| *last == b'\r');
        let text = String::from_utf8(octets);
        Ok(Some(text.map_err(|_| "the line is not in UTF-8; convert the file to UTF-8".to_owned())))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<(u64, Result<String, String>)>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.line().transpose()?;
        Some(line.map(|line| (self.number, line)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_numbers_and_any_end_or_none() {
        let found: Vec<_> = Lines::new(&b"a\r\n\nb\xff\nc"[..]).map(Result::unwrap).collect();
        let texts: Vec<_> = found.iter().map(|(number, text)| (*number, text.as_deref().ok())).collect();
        assert_eq!(texts, [(1, Some("a")), (2, Some("")), (3, None), (4, Some("c"))]);
    }

    #[test]
    fn a_line_without_end_is_not_held() {
        let endless = io::repeat(b'x').take(OCTETS + 10).chain(&b"\nnext\n"[..]);
        let found: Vec<_> = Lines::new(io::BufReader::new(endless)).map(Result::unwrap).collect();
        assert!(found[0].1.is_err());
        assert_eq!(found[1], (2, Ok("next".to_owned())));
    }
}
