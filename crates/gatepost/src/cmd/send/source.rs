//! The files that a message is made of.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail};

/// What files of Windows begin with, in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file that was read, without its byte order mark.
#[derive(Debug)]
pub(crate) struct Source {
    /// As it is told to people.
    pub(crate) name: String,
    pub(crate) octets: Vec<u8>,
}

/// Whether this means standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

impl Source {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    /// When it can't be read, or is empty.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Source> {
        let name = if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() };
        let octets = octets(path).with_context(|| format!("cannot read {name}"))?;
        let octets = octets.strip_prefix(BYTE_ORDER_MARK).map(<[u8]>::to_vec).unwrap_or(octets);
        if octets.trim_ascii().is_empty() {
            bail!("{name} is blank: there would be nothing to send");
        }
        Ok(Source { name, octets })
    }

    /// The text.
    ///
    /// # Errors
    /// Where it is not UTF-8.
    pub(crate) fn text(&self) -> Result<&str, String> {
        std::str::from_utf8(&self.octets).map_err(|error| {
            let line = line_at(&self.octets, error.valid_up_to());
            format!("{}:{line}: this is not UTF-8; convert the file to UTF-8", self.name)
        })
    }

    /// The octets with CRLF at the end of each line (RFC 5322 section 2.3), whether they were CRLF or LF.
    ///
    /// # Errors
    /// Where a CR stands alone, which readers take for different things, or a NUL, which no message may have.
    pub(crate) fn with_crlf(&self) -> Result<Vec<u8>, String> {
        let mut lines = Vec::with_capacity(self.octets.len() + self.octets.len() / 32);
        for (number, line) in self.octets.split(|octet| *octet == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            for (octet, called) in [(b'\r', "CR without an LF"), (0, "NUL")] {
                if line.contains(&octet) {
                    return Err(format!("{}:{}: there is a {called}; take it out", self.name, number + 1));
                }
            }
            lines.extend_from_slice(line);
            lines.extend_from_slice(b"\r\n");
        }
        // Behind the last line end there is no line.
        if self.octets.ends_with(b"\n") {
            lines.truncate(lines.len().saturating_sub(2));
        }
        Ok(lines)
    }
}

fn octets(path: &Path) -> io::Result<Vec<u8>> {
    if !is_stdin(path) {
        return fs::read(path);
    }
    if io::stdin().is_terminal() {
        eprintln!("reading from the terminal; end with Ctrl-D");
    }
    let mut octets = Vec::new();
    io::stdin().lock().read_to_end(&mut octets)?;
    Ok(octets)
}

/// The number of the line in which an octet stands, from 1.
fn line_at(octets: &[u8], at: usize) -> usize {
    octets.iter().take(at).filter(|octet| **octet == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(octets: &[u8]) -> Source {
        Source { name: "a.txt".to_owned(), octets: octets.to_vec() }
    }

    #[test]
    fn line_ends_become_crlf() {
        for (given, expected) in [
            ("a\nb\n", "a\r\nb\r\n"),
            ("a\r\nb\r\n", "a\r\nb\r\n"),
            ("a\nb", "a\r\nb\r\n"),
            ("\n\na", "\r\n\r\na\r\n"),
        ] {
            assert_eq!(source(given.as_bytes()).with_crlf().unwrap(), expected.as_bytes(), "{given:?}");
        }
    }

    #[test]
    fn what_no_message_may_have_is_told_with_its_line() {
        for (given, told) in [
            (&b"a\nb\rc\n"[..], "a.txt:2: there is a CR"),
            (b"a\nb\r\r\n", "a.txt:2: "),
            (b"\0", "a.txt:1: there is a NUL"),
        ] {
            let fault = source(given).with_crlf().unwrap_err();
            assert!(fault.starts_with(told), "{fault}");
        }
        assert!(source(b"a\nb\xff").text().unwrap_err().starts_with("a.txt:2: "));
    }
}
