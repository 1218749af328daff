//! Keeps back the blank end of a body, which relaxed canonicalization ignores.
//!
//! mail-auth 0.13.3 takes lines of blanks at the end of a body for content (its issue 62, mended in 0.15); so they never reach it.

/// Line ends that are written at a time.
const LINE_ENDS: [[u8; 2]; 512] = [*b"\r\n"; 512];

/// The blanks and line ends that came last, if they may be the end of the body: counted, so that any number takes no memory. RFC 6376
/// section 3.4.4 makes one blank of several, and none at the end of a line.
#[derive(Debug, Default)]
pub(super) struct BlankEnd {
    line_ends: u64,
    /// Blanks behind the last line end.
    has_blank: bool,
    /// A CR whose LF has not come yet.
    has_cr: bool,
}

impl BlankEnd {
    /// Takes the next octets of the body, and gives what is known to be within it to `write`.
    pub(super) fn feed(&mut self, octets: &[u8], mut write: impl FnMut(&[u8])) {
        let end = octets.iter().rposition(|octet| !is_blank(*octet)).map_or(0, |last| last + 1);
        let (within, blank) = octets.split_at_checked(end).unwrap_or((octets, b""));
        if !within.is_empty() {
            std::mem::take(self).give_back(&mut write);
            write(within);
        }
        self.keep_back(blank);
    }

    /// The body has ended: of its blank end only the end of its last line counts, if there is anything in it.
    pub(super) fn finish(self, write: impl FnOnce(&[u8])) {
        if self.line_ends > 0 {
            write(b"\r\n");
        }
    }

    fn keep_back(&mut self, blank: &[u8]) {
        for octet in blank {
            match octet {
                b'\n' => *self = Self { line_ends: self.line_ends.saturating_add(1), ..Self::default() },
                b' ' | b'\t' => self.has_blank = true,
                _ => self.has_cr = true,
            }
        }
    }

    fn give_back(self, write: &mut impl FnMut(&[u8])) {
        let mut left = self.line_ends;
        while left > 0 {
            let some = usize::try_from(left).unwrap_or(usize::MAX).min(LINE_ENDS.len());
            write(LINE_ENDS.get(..some).unwrap_or_default().as_flattened());
            left = left.saturating_sub(some as u64);
        }
        if self.has_blank {
            write(b" ");
        }
        if self.has_cr {
            write(b"\r");
        }
    }
}

fn is_blank(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(chunks: &[&[u8]]) -> Vec<u8> {
        let (mut end, mut out) = (BlankEnd::default(), Vec::new());
        chunks.iter().for_each(|chunk| end.feed(chunk, |octets| out.extend_from_slice(octets)));
        end.finish(|octets| out.extend_from_slice(octets));
        out
    }

    /// RFC 6376 section 3.4.4, to the letter.
    fn relaxed(body: &[u8]) -> Vec<u8> {
        let text = String::from_utf8(body.to_vec()).unwrap();
        let line = |line: &str| {
            let words: Vec<_> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
            let first = if line.starts_with([' ', '\t']) && !words.is_empty() { " " } else { "" };
            format!("{first}{}", words.join(" "))
        };
        let mut lines: Vec<_> = text.split("\r\n").map(line).collect();
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        lines.iter().flat_map(|line| [line.as_bytes(), b"\r\n"].concat()).collect()
    }

    #[test]
    fn a_body_of_blanks_alone_is_empty() {
        assert_eq!(written(&[b" \r\n\t \r\n", b"\r", b"\n", b""]), b"\r\n");
        assert_eq!(written(&[b"x  ", b"\r\n", b" "]), b"x\r\n");
    }

    #[test]
    fn any_number_of_line_ends_within_comes_back() {
        let body = [b"a".to_vec(), b"\r\n".repeat(5000), b"b".to_vec()].concat();
        let chunks: Vec<_> = body.chunks(7).collect();
        assert_eq!(written(&chunks), body);
    }

    proptest! {
        #[test]
        fn what_is_kept_back_changes_no_relaxed_body(
            pieces in proptest::collection::vec("(a|bc| |\t|\r\n|\r\n){0,4}", 0..12), cut in 0usize..40,
        ) {
            let body = pieces.concat();
            let cut = cut.min(body.len());
            let out = written(&[&body.as_bytes()[..cut], &body.as_bytes()[cut..]]);
            prop_assert_eq!(relaxed(&out), relaxed(body.as_bytes()));
        }
    }
}
