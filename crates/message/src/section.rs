//! Gathers the header section of a message that arrives in chunks.

use bytes::Bytes;
use memchr::memchr_iter;

use crate::HeaderError;

/// The most octets of a header section, its blank line included.
pub const MAX_SECTION: usize = 256 * 1024;

/// A header section under way.
#[derive(Debug, Default)]
pub struct Section {
    gathered: Vec<u8>,
    /// How much of a line, not yet ended, stands at the end of what was gathered.
    open_line: usize,
}

/// What a chunk led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// No blank line yet.
    More,
    /// The blank line was found.
    Complete {
        /// The header section, its blank line included.
        header: Vec<u8>,
        /// What the chunk has of the body.
        body_rest: Bytes,
    },
}

impl Section {
    /// Takes the next chunk of a message whose lines end with CRLF.
    ///
    /// # Errors
    /// [`HeaderError::SectionTooBig`] as soon as there are more than [`MAX_SECTION`] octets. What was gathered
    /// is dropped then; the caller goes on without the section.
    pub fn feed(&mut self, mut chunk: Bytes) -> Result<Progress, HeaderError> {
        let end = self.blank_line_in(&chunk);
        let head = chunk.split_to(end.unwrap_or(chunk.len()));
        self.gather(&head)?;
        match end {
            Some(_) => Ok(Progress::Complete { header: std::mem::take(self).gathered, body_rest: chunk }),
            None => Ok(Progress::More),
        }
    }

    /// The message has ended: all that was gathered is header, and there is no body.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.gathered
    }

    fn gather(&mut self, octets: &[u8]) -> Result<(), HeaderError> {
        if self.gathered.len().saturating_add(octets.len()) > MAX_SECTION {
            *self = Self::default();
            return Err(HeaderError::SectionTooBig);
        }
        self.gathered.extend_from_slice(octets);
        Ok(())
    }

    /// Where the line ends that is nothing but its CRLF; remembers the length of an open line otherwise.
    fn blank_line_in(&mut self, chunk: &[u8]) -> Option<usize> {
        let mut line_start = 0usize;
        for end in memchr_iter(b'\n', chunk) {
            let length = self.open_line.saturating_add(end.saturating_sub(line_start));
            if length == 1 && self.octet_before(chunk, end) == Some(b'\r') {
                return end.checked_add(1);
            }
            self.open_line = 0;
            line_start = end.saturating_add(1);
        }
        self.open_line = self.open_line.saturating_add(chunk.len().saturating_sub(line_start));
        None
    }

    fn octet_before(&self, chunk: &[u8], place: usize) -> Option<u8> {
        match place.checked_sub(1) {
            Some(before) => chunk.get(before).copied(),
            None => self.gathered.last().copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds chunks until the blank line; what remains of the message follows the header.
    fn gather(chunks: &[&[u8]]) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut section = Section::default();
        let mut chunks = chunks.iter();
        while let Some(chunk) = chunks.next() {
            if let Progress::Complete { header, body_rest } =
                section.feed(Bytes::copy_from_slice(chunk)).unwrap()
            {
                return Some((header, [&[body_rest.as_ref()], chunks.as_slice()].concat().concat()));
            }
        }
        None
    }

    #[test]
    fn the_first_blank_line_ends_the_section() {
        for (header, body) in [
            ("A: b\r\n\r\n", "x\r\n\r\ny"),
            ("A: b\r\n\r\n", ""),
            ("\r\n", ""),
            ("\r\n", "\r\n\r\n"),
            ("\r\n", "x"),
            ("A: b\r\n \r\nC: d\r\n\r\n", "\r\n"),
        ] {
            let message = [header, body].concat();
            for cut in 0..=message.len() {
                let (one, two) = message.as_bytes().split_at(cut);
                assert_eq!(
                    gather(&[one, two]),
                    Some((header.into(), body.into())),
                    "{message:?} cut at {cut}"
                );
            }
        }
    }

    #[test]
    fn without_a_blank_line_all_is_header() {
        for message in ["", "A: b\r\n", "A: b\r\n\r", "\r", "A: b\r\n\n"] {
            let mut section = Section::default();
            assert_eq!(
                section.feed(Bytes::from_static(message.as_bytes())),
                Ok(Progress::More),
                "{message:?}"
            );
            assert_eq!(section.finish(), message.as_bytes());
        }
    }

    #[test]
    fn an_endless_section_is_cut_off() {
        let mut section = Section::default();
        let chunk = Bytes::from(vec![b'a'; MAX_SECTION]);
        assert_eq!(section.feed(chunk), Ok(Progress::More));
        assert_eq!(section.feed(Bytes::from_static(b"a")), Err(HeaderError::SectionTooBig));
        assert_eq!(section.gathered.capacity(), 0);
        let mut section = Section::default();
        let line = "a".repeat(MAX_SECTION - 4);
        assert!(matches!(
            section.feed(Bytes::from(format!("{line}\r\n\r\nbody"))),
            Ok(Progress::Complete { .. })
        ));
        let mut section = Section::default();
        assert!(section.feed(Bytes::from(format!("{line}a\r\n\r\nbody"))).is_err());
    }

    proptest! {
        #[test]
        fn cuts_do_not_matter(message in "([a\r]|\r\n|\r\n\r\n){0,40}", cuts in proptest::collection::vec(0usize..80, 0..8)) {
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(message.len())).collect();
            cuts.sort_unstable();
            let mut chunks = Vec::new();
            let mut start = 0;
            for cut in cuts.into_iter().chain([message.len()]) {
                chunks.push(&message.as_bytes()[start..cut]);
                start = cut;
            }
            prop_assert_eq!(gather(&chunks), gather(&[message.as_bytes()]));
        }
    }
}
