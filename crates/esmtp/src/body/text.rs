//! What may not stand in the text of a message (RFC 5321 section 2.3.8, RFC 5322 section 2.1.1).

use crate::limits::TEXT_LINE;

/// What is wrong with a text; of several faults the greatest counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TextFault {
    /// A line is longer than the next host has to take, which would break it and its signature, and is not taken here.
    LongLine,
    /// NUL is not text (RFC 5321 section 4.5.2 with RFC 5322 section 4).
    Nul,
    /// A CR or LF on its own, which another server might take for a line's end.
    BareLineEnd,
}

/// Looks at each octet of a text once, however it is cut.
#[derive(Debug, Default)]
pub(crate) struct TextCheck {
    takes_long_lines: bool,
    fault: Option<TextFault>,
    /// Octets of the current line.
    line: usize,
    after_cr: bool,
    eight_bit: bool,
}

impl TextCheck {
    /// A check to which a long line is a fault, or none.
    pub(crate) fn new(takes_long_lines: bool) -> Self {
        Self { takes_long_lines, ..Self::default() }
    }

    /// Looks at the next piece of the text.
    pub(crate) fn feed(&mut self, mut text: &[u8]) {
        self.eight_bit |= !text.is_ascii();
        if self.after_cr && !text.is_empty() {
            text = self.behind_cr(text);
        }
        while let Some((before, at)) = split_at_special(text) {
            self.run(before.len());
            text = match at {
                [b'\r', rest @ ..] => self.behind_cr(rest),
                [b'\n', rest @ ..] => self.found(TextFault::BareLineEnd, rest),
                [_, rest @ ..] => self.found(TextFault::Nul, rest),
                [] => at,
            };
        }
        self.run(text.len());
    }

    /// What is wrong so far.
    pub(crate) fn fault(&self) -> Option<TextFault> {
        self.fault
    }

    /// What is wrong with the text as a whole, now that it has ended.
    pub(crate) fn finish(&mut self) -> Option<TextFault> {
        if self.after_cr {
            self.found(TextFault::BareLineEnd, &[]);
        }
        self.fault
    }

    /// The text ends behind a CRLF, or is empty.
    pub(crate) fn at_line_start(&self) -> bool {
        self.line == 0 && !self.after_cr
    }

    /// An octet above 127 was among it.
    pub(crate) fn eight_bit(&self) -> bool {
        self.eight_bit
    }

    fn behind_cr<'a>(&mut self, text: &'a [u8]) -> &'a [u8] {
        self.after_cr = text.is_empty();
        match text {
            [] => text,
            [b'\n', rest @ ..] => {
                self.line = 0;
                rest
            }
            _ => self.found(TextFault::BareLineEnd, text),
        }
    }

    fn found<'a>(&mut self, fault: TextFault, rest: &'a [u8]) -> &'a [u8] {
        self.fault = self.fault.max(Some(fault));
        rest
    }

    fn run(&mut self, octets: usize) {
        self.line = self.line.saturating_add(octets);
        if self.line > TEXT_LINE && !self.takes_long_lines {
            self.fault = self.fault.max(Some(TextFault::LongLine));
        }
    }
}

fn split_at_special(text: &[u8]) -> Option<(&[u8], &[u8])> {
    memchr::memchr3(b'\r', b'\n', 0, text).and_then(|at| text.split_at_checked(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_found_however_the_text_is_cut() {
        let long = "A".repeat(TEXT_LINE + 1);
        let fits = "A".repeat(TEXT_LINE) + "\r\n";
        let cases: [(&str, Option<TextFault>); 11] = [
            ("", None),
            ("a\r\nb\r\n", None),
            (&fits, None),
            (&long, Some(TextFault::LongLine)),
            ("a\nb\r\n", Some(TextFault::BareLineEnd)),
            ("a\rb\r\n", Some(TextFault::BareLineEnd)),
            ("a\r\r\n", Some(TextFault::BareLineEnd)),
            ("a\r\n\n", Some(TextFault::BareLineEnd)),
            ("a\r", Some(TextFault::BareLineEnd)),
            ("a\0\r\n", Some(TextFault::Nul)),
            ("\0\n", Some(TextFault::BareLineEnd)),
        ];
        for (text, fault) in cases {
            for step in 1..=text.len().max(1) {
                let mut check = TextCheck::default();
                text.as_bytes().chunks(step).for_each(|piece| check.feed(piece));
                assert_eq!(check.finish(), fault, "{text:.40?} in steps of {step}");
            }
        }
    }

    #[test]
    fn long_lines_are_taken_where_somebody_deals_with_them() {
        let mut check = TextCheck::new(true);
        check.feed("A".repeat(TEXT_LINE + 1).as_bytes());
        check.feed(b"\r\n\0");
        assert_eq!(check.finish(), Some(TextFault::Nul));
    }

    #[test]
    fn eight_bit_octets_and_an_unfinished_line_are_noticed() {
        let mut check = TextCheck::default();
        check.feed("å".as_bytes());
        assert!(check.eight_bit() && !check.at_line_start());
        check.feed(b"\r\n");
        assert!(check.at_line_start());
    }
}
