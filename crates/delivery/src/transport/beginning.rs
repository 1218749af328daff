//! The beginning of a text: its header section, which says who signs it; and a text with something in front of it.

use bytes::{Bytes, BytesMut};
use memchr::memmem;
use store::{Body, SpoolError};

/// A text of which enough was read to know its header section.
#[derive(Debug)]
pub(crate) struct Beginning<B> {
    read: Bytes,
    /// Where the header section ends, and where the body begins behind the blank line.
    section: usize,
    body: usize,
    rest: B,
}

/// A text with what is read before it.
#[derive(Debug)]
pub(crate) struct WithHead<B> {
    head: Option<Bytes>,
    added: u64,
    rest: B,
}

impl<B: Body> Beginning<B> {
    /// Reads a text up to the end of its header section. How long that may be was seen to when the message came.
    pub(crate) async fn read(mut rest: B) -> Result<Self, SpoolError> {
        let mut read = BytesMut::new();
        loop {
            // The end may be cut by two chunks.
            let unseen = read.len().saturating_sub(3);
            let Some(chunk) = rest.next_chunk().await? else {
                let end = read.len();
                return Ok(Self { read: read.freeze(), section: end, body: end, rest });
            };
            read.extend_from_slice(&chunk);
            if let Some((section, body)) = end_of_section(&read, unseen) {
                return Ok(Self { read: read.freeze(), section, body, rest });
            }
        }
    }

    /// The header section, without its blank line.
    pub(crate) fn section(&self) -> &[u8] {
        self.read.get(..self.section).unwrap_or_default()
    }

    /// Takes the header section out; what follows is the body.
    pub(crate) fn take_section(&mut self) -> Bytes {
        let section = self.read.slice(..self.section);
        self.read = self.read.split_off(self.body);
        (self.section, self.body) = (0, 0);
        section
    }

    /// The next octets of the body, once the section was taken out.
    pub(crate) async fn next_of_body(&mut self) -> Result<Option<Bytes>, SpoolError> {
        match std::mem::take(&mut self.read) {
            read if read.is_empty() => self.rest.next_chunk().await,
            read => Ok(Some(read)),
        }
    }

    /// The text as it is.
    pub(crate) fn into_text(self) -> WithHead<B> {
        WithHead { head: Some(self.read), added: 0, rest: self.rest }
    }
}

/// Where a header section ends and a body begins, if the blank line is among what was read; before `unseen` it is not.
fn end_of_section(read: &[u8], unseen: usize) -> Option<(usize, usize)> {
    if read.starts_with(b"\r\n") {
        return Some((0, 2));
    }
    let found = memmem::find(read.get(unseen..)?, b"\r\n\r\n")?;
    Some((unseen + found + 2, unseen + found + 4))
}

impl<B> WithHead<B> {
    /// The text as it is.
    pub(crate) fn none(rest: B) -> Self {
        Self { head: None, added: 0, rest }
    }

    /// The text with fields before its own.
    pub(crate) fn signed(fields: String, rest: B) -> Self {
        let added = u64::try_from(fields.len()).unwrap_or(u64::MAX);
        Self { head: Some(fields.into()), added, rest }
    }

    /// How many octets were added to the text.
    pub(crate) fn added(&self) -> u64 {
        self.added
    }
}

impl<B: Body> Body for WithHead<B> {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, SpoolError> {
        match self.head.take() {
            Some(head) if !head.is_empty() => Ok(Some(head)),
            Some(_) | None => self.rest.next_chunk().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Chunks(Vec<Bytes>);

    impl Body for Chunks {
        async fn next_chunk(&mut self) -> Result<Option<Bytes>, SpoolError> {
            Ok((!self.0.is_empty()).then(|| self.0.remove(0)))
        }
    }

    async fn beginning(text: &[u8], cut: usize) -> Beginning<Chunks> {
        let (before, behind) = text.split_at(cut);
        let chunks = [before, behind].map(Bytes::copy_from_slice);
        Beginning::read(Chunks(chunks.into_iter().filter(|chunk| !chunk.is_empty()).collect())).await.unwrap()
    }

    #[tokio::test]
    async fn section_and_body_are_told_apart_wherever_the_text_is_cut() {
        let table: [(&[u8], &[u8], &[u8]); 5] = [
            (b"A: b\r\nC: d\r\n\r\nbody\r\n\r\nmore", b"A: b\r\nC: d\r\n", b"body\r\n\r\nmore"),
            (b"A: b\r\n\r\n", b"A: b\r\n", b""),
            (b"A: b\r\n", b"A: b\r\n", b""),
            (b"\r\nbody", b"", b"body"),
            (b"", b"", b""),
        ];
        for (text, section, body) in table {
            for cut in 0..=text.len() {
                let mut begun = beginning(text, cut).await;
                assert_eq!(begun.section(), section, "{cut}");
                assert_eq!(begun.take_section(), section);
                let mut rest = Vec::new();
                while let Some(chunk) = begun.next_of_body().await.unwrap() {
                    rest.extend_from_slice(&chunk);
                }
                assert_eq!(rest, body, "{cut}");
                let mut whole = Vec::new();
                let mut unsigned = beginning(text, cut).await.into_text();
                while let Some(chunk) = unsigned.next_chunk().await.unwrap() {
                    whole.extend_from_slice(&chunk);
                }
                assert_eq!(whole, text);
            }
        }
    }

    #[tokio::test]
    async fn what_is_added_comes_first() {
        let mut text = WithHead::signed("X: y\r\n".to_owned(), Chunks(vec!["A: b\r\n".into()]));
        assert_eq!(text.added(), 6);
        assert_eq!(text.next_chunk().await.unwrap().unwrap(), "X: y\r\n");
        assert_eq!(text.next_chunk().await.unwrap().unwrap(), "A: b\r\n");
        assert!(text.next_chunk().await.unwrap().is_none());
    }
}
