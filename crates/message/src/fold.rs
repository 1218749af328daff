//! Folding of header lines that are too long to travel (RFC 5322 sections 2.1.1 and 2.2.3).

use crate::encoded_word::{self, Charset};
use crate::header::MAX_LINE;

/// Where lines are folded once they have to be. RFC 5322 section 2.1.1.
const LINE: usize = 78;

/// A word of more octets has to be cut or encoded. It leaves room for the comma and blanks beside it.
const MAX_WORD: usize = 900;

/// Blanks that are kept at a fold; more are one.
const MAX_BLANKS: usize = 60;

/// An address that can't be folded, and must not be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LongAddress;

/// The value with its long lines folded: at white space, or else behind commas, or else encoded. `column` is where it
/// begins; the other lines stay as they are.
pub(crate) fn fold(value: &str, column: usize, has_addresses: bool) -> Result<String, LongAddress> {
    let mut folded = String::with_capacity(value.len() + 64);
    for (number, line) in value.split("\r\n").enumerate() {
        let column = if number == 0 { column } else { 0 };
        if number > 0 {
            folded.push_str("\r\n");
        }
        if column + line.len() <= MAX_LINE {
            folded.push_str(line);
        } else {
            folded.push_str(&fold_line(line, column, has_addresses)?);
        }
    }
    Ok(folded)
}

fn fold_line(line: &str, column: usize, has_addresses: bool) -> Result<String, LongAddress> {
    let mut folded = Folded { text: String::with_capacity(line.len() + line.len() / 32), column };
    let mut rest = line;
    while !rest.trim_start_matches(is_blank).is_empty() {
        let (blanks, after) = split_where(rest, |c| !is_blank(c));
        let (word, after) = split_where(after, is_blank);
        folded.push_word(blanks, word, has_addresses)?;
        rest = after;
    }
    Ok(folded.text)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t')
}

fn split_where(text: &str, end: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at_checked(text.find(end).unwrap_or(text.len())).unwrap_or((text, ""))
}

/// What was folded so far, and how long its last line is.
struct Folded {
    text: String,
    column: usize,
}

impl Folded {
    fn push_word(&mut self, blanks: &str, word: &str, has_addresses: bool) -> Result<(), LongAddress> {
        let is_whole = word.len() <= MAX_WORD;
        if is_whole && !blanks.is_empty() && self.column > 0 && self.column + blanks.len() + word.len() > LINE
        {
            self.new_line(if blanks.len() > MAX_BLANKS { " " } else { blanks });
        } else {
            self.push(blanks);
        }
        if is_whole {
            self.push(word);
            return Ok(());
        }
        word.split_inclusive(',').enumerate().try_for_each(|(number, part)| {
            if number > 0 && self.column + part.len() > LINE {
                self.new_line(" ");
            }
            self.push_part(part, has_addresses)
        })
    }

    fn push_part(&mut self, part: &str, has_addresses: bool) -> Result<(), LongAddress> {
        if part.len() <= MAX_WORD {
            self.push(part);
            return Ok(());
        }
        if has_addresses && part.contains(['@', '<', '>']) {
            return Err(LongAddress);
        }
        let encoded = encoded_word::encode(part, Charset::Utf8, self.column);
        self.text.push_str(&encoded);
        self.column = encoded.rsplit("\r\n").next().unwrap_or_default().len();
        Ok(())
    }

    fn new_line(&mut self, blanks: &str) {
        self.text.push_str("\r\n");
        self.column = 0;
        self.push(blanks);
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.len();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_long_line_is_folded_at_its_blanks() {
        let value = format!(" {}", "<0123456789@example.org> ".repeat(60));
        let folded = fold(&value, 10, false).unwrap();
        assert_eq!(folded.replace("\r\n", ""), value.trim_end());
        assert!(folded.split("\r\n").all(|line| line.len() <= LINE && !line.trim().is_empty()));
    }

    #[test]
    fn without_blanks_it_is_folded_behind_commas() {
        let value = format!(" {}c@d", "somebody@example.org,".repeat(60));
        let folded = fold(&value, 3, true).unwrap();
        assert_eq!(folded.replace("\r\n ", ""), value);
        assert!(folded.split("\r\n").all(|line| line.len() <= LINE));
    }

    #[test]
    fn what_has_no_place_to_fold_is_encoded() {
        let value = format!(" {}", "x".repeat(1500));
        let folded = fold(&value, 8, false).unwrap();
        assert_eq!(encoded_word::decode(&folded), value);
        assert!(folded.split("\r\n").all(|line| line.len() <= LINE));
        assert_eq!(fold(&format!(" <{}@x>", "x".repeat(1500)), 3, true), Err(LongAddress));
    }

    #[test]
    fn what_is_short_enough_stays() {
        let value = format!(" {}\r\n short", "x".repeat(MAX_LINE - 2));
        assert_eq!(fold(&value, 1, false).unwrap(), value);
        assert_ne!(fold(&value, 2, false).unwrap(), value);
    }

    proptest! {
        #[test]
        fn no_line_is_too_long_and_none_is_blank(
            words in proptest::collection::vec(("[ \t]{1,4}| {70}", "[a-z,]{1,40}|[a-z]{1200}|é{600}"), 1..40), column in 1_usize..70,
        ) {
            let value: String = words.iter().map(|(blanks, word)| format!("{blanks}{word}")).collect();
            let folded = fold(&value, column, false).unwrap();
            for (number, line) in folded.split("\r\n").enumerate() {
                let begin = if number == 0 { column } else { 0 };
                prop_assert!(begin + line.len() <= MAX_LINE);
                prop_assert!(number == 0 || !line.trim().is_empty());
            }
        }
    }
}
