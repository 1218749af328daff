//! Finds the end of DATA and takes the transparency dots out (RFC 5321 sections 4.1.1.4 and 4.5.2).
//!
//! Only a dot between two CRLFs ends a message. What other servers took for an end (`LF.LF`, `CR.CR`, `LF.CRLF`, …)
//! let attackers smuggle a second message past a first server (2023); here it is text, and [`super::TextCheck`]
//! refuses it for its bare CR or LF, unless [`super::LineEnds`] has made a line of the text out of it. A dot is taken out
//! only behind a CRLF, too.

use bytes::{Buf, Bytes, BytesMut};

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

    /// Takes the next piece of text off `input`, without a copy.
    pub(crate) fn next(&mut self, input: &mut BytesMut) -> Dot {
        if self.at_line_start {
            match input.as_ref() {
                b".\r\n" | [b'.', b'\r', b'\n', ..] => {
                    input.advance(3);
                    return Dot::End;
                }
                b"" | b"." | b".\r" => return Dot::More,
                [b'.', ..] => input.advance(1),
                _ => {}
            }
            self.at_line_start = false;
        }
        let (length, at_line_start) = extent(input);
        self.at_line_start = at_line_start;
        if length == 0 { Dot::More } else { Dot::Text(input.split_to(length).freeze()) }
    }
}

/// How much of `input` is surely text, and whether a line starts behind it. A CR at the end is kept back: only the
/// next octet tells what it is.
fn extent(input: &[u8]) -> (usize, bool) {
    if let Some(at) = memchr::memmem::find(input, b"\r\n.") {
        return (at + 2, true);
    }
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
        let cases: [Case; 8] = [
            (b".\r\nNOOP\r\n", b"", Some(b"NOOP\r\n")),
            (b"a\r\n.\r\nb", b"a\r\n", Some(b"b")),
            (b"a\r\n..\r\n.\r\n", b"a\r\n.\r\n", Some(b"")),
            (b"..a\r\n.\r\n", b".a\r\n", Some(b"")),
            (b"\r\n\r\n.\r\n", b"\r\n\r\n", Some(b"")),
            (b".a\r\n.\r\n", b"a\r\n", Some(b"")),
            (b"a\r\n.\r", b"a\r\n", None),
            (b"a.\r\n", b"a.\r\n", None),
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
