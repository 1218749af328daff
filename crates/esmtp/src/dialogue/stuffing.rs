//! The text of a message on its way out: every line ends with CRLF, and no line is mistaken for the end.
//!
//! The spool holds CRLF-clean text already. It is made certain here once more, because what a bare CR or LF
//! means is the one thing that servers disagree about, and whoever lets one through is the smuggler's tool.

use bytes::{BufMut, BytesMut};
use memchr::memchr2;

/// Dot-stuffing (RFC 5321 section 4.5.2) over chunks cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Stuffing {
    at: At,
}

/// What came last.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum At {
    #[default]
    LineStart,
    InLine,
    /// A CR whose LF may come with the next octet; not written yet.
    Cr,
}

impl Stuffing {
    /// Appends `text` to `out` as it must look on the wire.
    pub(super) fn push(&mut self, text: &[u8], out: &mut BytesMut) {
        out.reserve(text.len() + text.len() / 64 + 4);
        let mut rest = text;
        while let Some(end) = memchr2(b'\r', b'\n', rest) {
            let (line, tail) = rest.split_at(end);
            self.within_line(line, out);
            if let Some((&octet, tail)) = tail.split_first() {
                self.line_end(octet, out);
                rest = tail;
            }
        }
        self.within_line(rest, out);
    }

    /// Appends the end of the message: the last line is ended if it is not, then the lone dot.
    pub(super) fn finish(&mut self, out: &mut BytesMut) {
        if self.at != At::LineStart {
            out.put_slice(b"\r\n");
        }
        out.put_slice(b".\r\n");
        self.at = At::LineStart;
    }

    fn within_line(&mut self, piece: &[u8], out: &mut BytesMut) {
        let Some(&first) = piece.first() else { return };
        if self.at == At::Cr {
            // A bare CR: a line end to some, so it is one for all.
            out.put_slice(b"\r\n");
            self.at = At::LineStart;
        }
        if self.at == At::LineStart && first == b'.' {
            out.put_u8(b'.');
        }
        out.put_slice(piece);
        self.at = At::InLine;
    }

    fn line_end(&mut self, octet: u8, out: &mut BytesMut) {
        if octet == b'\n' {
            out.put_slice(b"\r\n");
            self.at = At::LineStart;
            return;
        }
        if self.at == At::Cr {
            out.put_slice(b"\r\n");
        }
        self.at = At::Cr;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stuffed(chunks: &[&[u8]]) -> Vec<u8> {
        let (mut stuffing, mut out) = (Stuffing::default(), BytesMut::new());
        chunks.iter().for_each(|chunk| stuffing.push(chunk, &mut out));
        stuffing.finish(&mut out);
        out.to_vec()
    }

    #[test]
    fn only_the_lone_dot_at_the_end_ends_it() {
        let table: &[(&[u8], &[u8])] = &[
            (b"", b".\r\n"),
            (b"a\r\n", b"a\r\n.\r\n"),
            (b"a", b"a\r\n.\r\n"),
            (b".", b"..\r\n.\r\n"),
            (b".\r\n", b"..\r\n.\r\n"),
            (b"..\r\n", b"...\r\n.\r\n"),
            (b"a\r\n.\r\nb\r\n", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a.\r\n", b"a.\r\n.\r\n"),
            // The smuggler's spellings (threat FRM-04).
            (b"a\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\n.\r\nb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\n.\nb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\n.\rb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r.\r\nb", b"a\r\n..\r\nb\r\n.\r\n"),
            (b"a\r\r\n.\r\n", b"a\r\n\r\n..\r\n.\r\n"),
            (b"a\r", b"a\r\n.\r\n"),
            (b"\r\r", b"\r\n\r\n.\r\n"),
            (b"\n\n", b"\r\n\r\n.\r\n"),
        ];
        for (text, wire) in table {
            assert_eq!(stuffed(&[text]).escape_ascii().to_string(), wire.escape_ascii().to_string());
        }
    }

    /// What a strict receiver makes of the wire: lines split at CRLF alone, up to the lone dot.
    fn received(wire: &[u8]) -> (Vec<u8>, usize) {
        let (mut text, mut at) = (Vec::new(), 0);
        while let Some(end) = wire[at..].windows(2).position(|pair| pair == b"\r\n") {
            let line = &wire[at..at + end];
            at += end + 2;
            if line == b"." {
                break;
            }
            text.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
            text.extend_from_slice(b"\r\n");
        }
        (text, at)
    }

    proptest! {
        #[test]
        fn any_text_cut_anywhere_arrives_clean(
            text in proptest::collection::vec(prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), Just(b'a')], 0..64),
            cut in 0usize..64,
        ) {
            let cut = cut.min(text.len());
            let whole = stuffed(&[&text]);
            prop_assert_eq!(&stuffed(&[&text[..cut], &text[cut..]]), &whole);
            prop_assert_eq!(received(&whole).1, whole.len());
            let bare = whole.iter().enumerate().any(|(at, &octet)| match octet {
                b'\n' => at == 0 || whole[at - 1] != b'\r',
                b'\r' => whole.get(at + 1) != Some(&b'\n'),
                _ => false,
            });
            prop_assert!(!bare);
        }

        #[test]
        fn clean_text_arrives_as_it_was(lines in proptest::collection::vec("[.a]{0,4}", 0..12)) {
            let text: Vec<u8> = lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect();
            prop_assert_eq!(received(&stuffed(&[&text])).0, text);
        }
    }
}
