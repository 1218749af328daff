//! Finds the end of DATA and takes the transparency dots out (RFC 5321 sections 4.1.1.4 and 4.5.2).
//!
//! Only a dot between two CRLFs ends a message. What other servers took for an end (`LF.LF`, `CR.CR`, `LF.CRLF`, …)
//! let attackers smuggle a second message past a first server (2023); here it is text, and [`super::TextCheck`]
//! refuses it for its bare CR or LF, unless [`super::LineEnds`] has made a line of the text out of it. A dot is taken out
//! only behind a CRLF, too.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem::Finder;

/// What came of the input.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Dot {
    /// Text, as it was before the client put dots in.
    Text(Bytes),
    /// `CRLF.CRLF`.
    End,
    /// More input is needed.
    More,
}

/// Where the reader stands. DATA's own CRLF is the first of an empty message's `CRLF.CRLF`.
#[derive(Debug)]
pub(crate) struct DotReader {
    at_line_start: bool,
}

impl DotReader {
    pub(crate) fn new() -> Self {
        Self { at_line_start: true }
    }

    /// Takes the next piece of text off `input`: as much as is surely text, where it stands, and without its transparency dots.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Dot {
        if self.at_line_start {
            match LineStart::of(input) {
                LineStart::End => {
                    input.advance(END.len());
                    return Dot::End;
                }
                LineStart::Undecided => return Dot::More,
                LineStart::Dot => input.advance(1),
                LineStart::Text => {}
            }
            self.at_line_start = false;
        }
        let Unstuffed { taken, kept, at_line_start } = Unstuffed::of(input);
        self.at_line_start = at_line_start;
        let text = input.split_to(kept).freeze();
        input.advance(taken - kept);
        if text.is_empty() { Dot::More } else { Dot::Text(text) }
    }
}

const END: &[u8] = b".\r\n";

/// What a line begins with.
enum LineStart {
    Text,
    /// A dot that the client put in, and something behind it.
    Dot,
    /// The line is a dot and nothing else.
    End,
    /// More input is needed to tell.
    Undecided,
}

impl LineStart {
    fn of(input: &[u8]) -> Self {
        if input.starts_with(END) {
            Self::End
        } else if END.starts_with(input) {
            Self::Undecided
        } else if input.first() == Some(&b'.') {
            Self::Dot
        } else {
            Self::Text
        }
    }
}

/// Text at the beginning of the input, moved together so that its dots are gone.
#[derive(Default)]
struct Unstuffed {
    /// Octets of the input.
    taken: usize,
    /// Octets of text, which stand before everything else.
    kept: usize,
    /// A line starts behind it.
    at_line_start: bool,
}

impl Unstuffed {
    /// Takes what is surely text. Each octet is moved once, however many dots there are: if a line that begins with one cost
    /// more than another, text of such lines would be a weapon.
    fn of(input: &mut [u8]) -> Self {
        let line_start = Finder::new(b"\r\n.");
        let mut text = Self::default();
        while let Some(at) = line_start.find(text.left(input)) {
            text.take(at + 2, input);
            match LineStart::of(text.left(input)) {
                LineStart::Dot => text.taken += 1,
                LineStart::End | LineStart::Undecided | LineStart::Text => {
                    text.at_line_start = true;
                    return text;
                }
            }
        }
        let (length, at_line_start) = extent(text.left(input));
        text.take(length, input);
        Self { at_line_start, ..text }
    }

    fn left<'i>(&self, input: &'i [u8]) -> &'i [u8] {
        input.get(self.taken..).unwrap_or_default()
    }

    fn take(&mut self, length: usize, input: &mut [u8]) {
        if self.kept != self.taken {
            input.copy_within(self.taken..self.taken + length, self.kept);
        }
        self.taken += length;
        self.kept += length;
    }
}

/// How much of `input`, in which no line starts with a dot, is surely text, and whether a line starts behind it. A CR at the
/// end is kept back: only the next octet tells what it is.
fn extent(input: &[u8]) -> (usize, bool) {
    match input {
        [.., b'\r', b'\n'] => (input.len(), true),
        [.., b'\r'] => (input.len() - 1, false),
        _ => (input.len(), false),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text of `input` cut into pieces of `step` octets, and what is left behind the end if there was one.
    fn read(input: &[u8], step: usize) -> (Vec<u8>, Option<Vec<u8>>) {
        let (mut reader, mut buffer, mut text) = (DotReader::new(), BytesMut::new(), Vec::new());
        let mut pieces = input.chunks(step);
        loop {
            match reader.next(&mut buffer) {
                Dot::Text(piece) => text.extend_from_slice(&piece),
                Dot::More => match pieces.next() {
                    Some(piece) => buffer.extend_from_slice(piece),
                    None => return (text, None),
                },
                Dot::End => {
                    let rest = pieces.fold(buffer.to_vec(), |rest, piece| [&rest, piece].concat());
                    return (text, Some(rest));
                }
            }
        }
    }

    /// Input, its text, and what is left behind its end if it has one.
    type Case = (&'static [u8], &'static [u8], Option<&'static [u8]>);

    #[test]
    fn only_a_dot_between_two_crlfs_is_an_end() {
        let cases: [Case; 11] = [
            (b".\r\nNOOP\r\n", b"", Some(b"NOOP\r\n")),
            (b"a\r\n.\r\nb", b"a\r\n", Some(b"b")),
            (b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n", Some(b"")),
            (b"..a\r\n.\r\n", b".a\r\n", Some(b"")),
            (b"\r\n\r\n.\r\n", b"\r\n\r\n", Some(b"")),
            (b".a\r\n.\r\n", b"a\r\n", Some(b"")),
            (b"a\r\n.\r", b"a\r\n", None),
            (b"a.\r\n", b"a.\r\n", None),
            (b"..\r\n.a\r\n..\r\n.\r\n.b\r\n", b".\r\na\r\n.\r\n", Some(b".b\r\n")),
            (b".\r.\r\n..\r\r\n.\n\r\n.\r\n", b"\r.\r\n.\r\r\n\n\r\n", Some(b"")),
            (b"a\r\n..\r\n.", b"a\r\n.\r\n", None),
        ];
        for (input, text, rest) in cases {
            for step in 1..=input.len() {
                assert_eq!(
                    read(input, step),
                    (text.to_vec(), rest.map(<[u8]>::to_vec)),
                    "{:?}",
                    input.escape_ascii()
                );
            }
        }
    }

    #[test]
    fn the_ten_false_ends_are_text() {
        let ends: [&[u8]; 10] = [
            b"\n.\n",
            b"\r.\r",
            b"\r.\n",
            b"\n.\r",
            b"\n.\r\n",
            b"\r\n.\n",
            b"\r.\r\n",
            b"\r\n.\r",
            b"\r\n\0.\r\n",
            b"\r\n.\0\r\n",
        ];
        for end in ends {
            let input = [b"a".as_slice(), end, b"MAIL FROM:<b@example.org>\r\n.\r\n"].concat();
            for step in 1..=input.len() {
                let (text, rest) = read(&input, step);
                assert_eq!(rest.as_deref(), Some(b"".as_slice()), "{:?}", end.escape_ascii());
                assert!(text.ends_with(b"MAIL FROM:<b@example.org>\r\n"), "{:?}", end.escape_ascii());
            }
        }
    }

    #[test]
    fn dots_do_not_cut_the_text_into_pieces() {
        let mut input = BytesMut::from("..\r\n.x\r\n".repeat(1000).as_str());
        assert_eq!(DotReader::new().next(&mut input), Dot::Text(".\r\nx\r\n".repeat(1000).into()));
        assert!(input.is_empty());
    }

    proptest! {
        #[test]
        fn what_a_client_stuffs_comes_out_as_it_was(
            lines in proptest::collection::vec("[.a\r]{0,6}", 0..8), step in 1_usize..9,
        ) {
            let text: String = lines.iter().map(|line| format!("{}\r\n", line.trim_end_matches('\r'))).collect();
            let stuffed: String = text.split_inclusive("\r\n").map(|line| {
                if line.starts_with('.') { format!(".{line}") } else { line.to_owned() }
            }).collect();
            prop_assert_eq!(read(format!("{stuffed}.\r\n").as_bytes(), step), (text.into_bytes(), Some(Vec::new())));
        }
    }
}
