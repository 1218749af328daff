//! Makes line ends of the CRs and LFs that are none, where bare line ends are repaired.
//!
//! A CR or LF on its own becomes CRLF, and a run of CRs right before a LF is one line end together with it: `CR CR LF` comes
//! from programs that put a CR before each LF though there was one. It is the framing that decides where a text ends; this
//! comes behind it, and what it makes is text.

use bytes::{Bytes, BytesMut};

use crate::limits::CR_RUN;

/// Repairs a text piece by piece, however it is cut. A piece that needs no repair is passed on as it is, without a copy.
#[derive(Debug, Default)]
pub(crate) struct LineEnds {
    /// What was passed on ends with a CR whose LF has yet to come.
    after_cr: bool,
    /// Further CRs behind it, which were not passed on.
    held: usize,
    repaired: bool,
}

impl LineEnds {
    /// The next piece of the text, repaired.
    pub(crate) fn feed(&mut self, text: Bytes) -> Bytes {
        match self.state_behind_clean(&text) {
            Some(after_cr) => {
                self.after_cr = after_cr;
                text
            }
            None => self.rewrite(&text),
        }
    }

    /// What is missing at the end of the text.
    pub(crate) fn finish(&mut self) -> Bytes {
        let mut output = BytesMut::new();
        self.end_run(&mut output);
        output.freeze()
    }

    /// Something had to be repaired.
    pub(crate) fn repaired(&self) -> bool {
        self.repaired
    }

    /// Whether the text ends with a CR, if all its line ends are CRLF as far as can be seen.
    fn state_behind_clean(&self, text: &[u8]) -> Option<bool> {
        let mut rest = match text {
            [] => return Some(self.after_cr).filter(|_| self.held == 0),
            [b'\n', rest @ ..] if self.after_cr && self.held == 0 => rest,
            _ if self.after_cr => return None,
            _ => text,
        };
        while let Some((_, at)) = split_at_line_end(rest) {
            rest = match at {
                [b'\r'] => return Some(true),
                [b'\r', b'\n', rest @ ..] => rest,
                _ => return None,
            };
        }
        Some(false)
    }

    fn rewrite(&mut self, text: &[u8]) -> Bytes {
        let mut output = BytesMut::with_capacity(text.len() + text.len() / 16);
        let mut rest = text;
        while let Some((before, at)) = split_at_line_end(rest) {
            self.run(before, &mut output);
            rest = match at {
                [b'\r', rest @ ..] => {
                    self.cr(&mut output);
                    rest
                }
                [_, rest @ ..] => {
                    self.lf(&mut output);
                    rest
                }
                [] => at,
            };
        }
        self.run(rest, &mut output);
        output.freeze()
    }

    fn run(&mut self, text: &[u8], output: &mut BytesMut) {
        if !text.is_empty() {
            self.end_run(output);
            output.extend_from_slice(text);
        }
    }

    fn cr(&mut self, output: &mut BytesMut) {
        if !self.after_cr {
            self.after_cr = true;
            output.extend_from_slice(b"\r");
            return;
        }
        self.repaired = true;
        if self.held < CR_RUN {
            self.held += 1;
        } else {
            output.extend_from_slice(b"\n\r");
        }
    }

    fn lf(&mut self, output: &mut BytesMut) {
        if !self.after_cr {
            self.repaired = true;
            output.extend_from_slice(b"\r");
        }
        output.extend_from_slice(b"\n");
        (self.after_cr, self.held) = (false, 0);
    }

    /// No LF came behind the CRs: each was a line end of its own.
    fn end_run(&mut self, output: &mut BytesMut) {
        if self.after_cr {
            self.repaired = true;
            output.extend_from_slice(b"\n");
            (0..self.held).for_each(|_| output.extend_from_slice(b"\r\n"));
            (self.after_cr, self.held) = (false, 0);
        }
    }
}

fn split_at_line_end(text: &[u8]) -> Option<(&[u8], &[u8])> {
    memchr::memchr2(b'\r', b'\n', text).and_then(|at| text.split_at_checked(at))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text cut into pieces of `step` octets and repaired, and whether there was something to repair.
    fn repair(text: &[u8], step: usize) -> (Vec<u8>, bool) {
        let mut line_ends = LineEnds::default();
        let mut output = Vec::new();
        for piece in text.chunks(step) {
            output.extend_from_slice(&line_ends.feed(Bytes::copy_from_slice(piece)));
        }
        output.extend_from_slice(&line_ends.finish());
        (output, line_ends.repaired())
    }

    /// The text with its line ends repaired, as one would say it in words: line ends are a run of CRs with its LF, or a CR, or a LF.
    fn reference(text: &str) -> String {
        let mut output = String::new();
        let mut rest = text;
        loop {
            if let Some(after) = rest.trim_start_matches('\r').strip_prefix('\n') {
                output.push_str("\r\n");
                rest = after;
                continue;
            }
            let mut chars = rest.chars();
            match chars.next() {
                Some('\r') => output.push_str("\r\n"),
                Some(c) => output.push(c),
                None => return output,
            }
            rest = chars.as_str();
        }
    }

    #[test]
    fn what_is_no_line_end_becomes_one_however_the_text_is_cut() {
        for (text, repaired) in [
            ("", ""),
            ("a\r\nb\r\n", "a\r\nb\r\n"),
            ("a\nb", "a\r\nb"),
            ("a\rb", "a\r\nb"),
            ("a\r", "a\r\n"),
            ("a\n", "a\r\n"),
            ("a\r\r\nb", "a\r\nb"),
            ("a\r\r\r\nb", "a\r\nb"),
            ("a\r\rb", "a\r\n\r\nb"),
            ("a\r\r", "a\r\n\r\n"),
            ("a\r\n\n\r\nb", "a\r\n\r\n\r\nb"),
            ("a\n\rb", "a\r\n\r\nb"),
            ("\n.\n", "\r\n.\r\n"),
            ("\r.\r", "\r\n.\r\n"),
            ("\r\n.\r\r\n", "\r\n.\r\n"),
        ] {
            for step in 1..=text.len().max(1) {
                let expected = (repaired.as_bytes().to_vec(), text != repaired);
                assert_eq!(repair(text.as_bytes(), step), expected, "{text:?} in steps of {step}");
            }
        }
    }

    #[test]
    fn clean_text_is_passed_on_without_a_copy() {
        let text = Bytes::from_static(b"a\r\nb\r\n\r\nc");
        for cut in 0..=text.len() {
            let mut line_ends = LineEnds::default();
            for piece in [text.slice(..cut), text.slice(cut..)] {
                let passed = line_ends.feed(piece.clone());
                assert_eq!((passed.as_ptr(), passed.len()), (piece.as_ptr(), piece.len()), "cut at {cut}");
            }
            assert!(line_ends.finish().is_empty() && !line_ends.repaired());
        }
    }

    #[test]
    fn a_run_of_crs_without_an_end_is_not_remembered_without_an_end() {
        let mut line_ends = LineEnds::default();
        let mut passed = 0;
        for _ in 0..100 {
            passed += line_ends.feed(Bytes::from(vec![b'\r'; 1000])).len();
        }
        assert!(passed >= 2 * (100_000 - CR_RUN) - 2, "{passed}");
        let last = line_ends.feed(Bytes::from_static(b"\n"));
        assert_eq!(last, "\n", "the last of them are one line end");
        let run = "\r".repeat(CR_RUN + 1);
        assert_eq!(repair(format!("a{run}\nb").as_bytes(), 7).0, b"a\r\nb");
        assert_eq!(repair(format!("a{run}\r\nb").as_bytes(), 7).0, b"a\r\n\r\nb");
    }

    proptest! {
        #[test]
        fn what_comes_out_has_crlf_alone_and_is_what_the_reference_says(
            text in "[ab.\r\n]{0,40}", step in 1_usize..9,
        ) {
            let (output, repaired) = repair(text.as_bytes(), step);
            let output = String::from_utf8(output).unwrap();
            prop_assert!(!output.replace("\r\n", "").contains(['\r', '\n']));
            prop_assert_eq!(&output, &reference(&text));
            prop_assert_eq!(repaired, output != text);
        }
    }
}
