//! Folding of header lines that are too long to travel (RFC 5322 sections 2.1.1 and 2.2.3).

use crate::encoded_word::{self, Charset};
use crate::header::MAX_LINE;
use crate::parameters;
use crate::raw_octets::Holds;

/// Where lines are folded once they have to be. RFC 5322 section 2.1.1.
const LINE: usize = 78;

/// A word of more octets has to be cut or encoded. It leaves room for the comma and blanks beside it.
const MAX_WORD: usize = 900;

/// Blanks that are kept at a fold; more are one.
const MAX_BLANKS: usize = 60;

/// Something that can't be folded, and must not be encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfoldable;

/// The value with its long lines folded: at white space, or else behind commas and the like, or else encoded. `column` is
/// where it begins; the other lines stay as they are.
pub(crate) fn fold(value: &str, column: usize, holds: Holds) -> Result<String, Unfoldable> {
    let too_long =
        |(number, line): (usize, &str)| line.len() + if number == 0 { column } else { 0 } > MAX_LINE;
    if !value.split("\r\n").enumerate().any(too_long) {
        return Ok(value.to_owned());
    }
    if holds == Holds::Parameters {
        return parameters::fold(value).ok_or(Unfoldable);
    }
    let mut folded = String::with_capacity(value.len() + 64);
    for (number, line) in value.split("\r\n").enumerate() {
        if number > 0 {
            folded.push_str("\r\n");
        }
        if too_long((number, line)) {
            folded.push_str(&fold_line(line, if number == 0 { column } else { 0 }, holds)?);
        } else {
            folded.push_str(line);
        }
    }
    Ok(folded)
}

/// Behind which characters a word may be cut that has no blanks.
fn ends_part(holds: Holds) -> &'static [char] {
    match holds {
        Holds::Addresses => &[',', ';'],
        Holds::Identifiers => &['>', ','],
        Holds::Text | Holds::Parameters => &[','],
    }
}

fn fold_line(line: &str, column: usize, holds: Holds) -> Result<String, Unfoldable> {
    let text = String::with_capacity(line.len() + line.len() / 32);
    let mut folded = Folded { text, column, holds, ends_encoded: false };
    let mut rest = line;
    while !rest.trim_start_matches(is_blank).is_empty() {
        let (blanks, after) = split_where(rest, |c| !is_blank(c));
        let (word, after) = split_where(after, is_blank);
        folded.push_word(blanks, word)?;
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
    holds: Holds,
    /// The last word was encoded.
    ends_encoded: bool,
}

impl Folded {
    fn push_word(&mut self, blanks: &str, word: &str) -> Result<(), Unfoldable> {
        let is_whole = word.len() <= MAX_WORD;
        if is_whole {
            let end = self.column + blanks.len() + word.len();
            if !blanks.is_empty() && self.column > 0 && end > LINE {
                self.new_line(blanks)
            } else {
                self.push(blanks)
            }
            self.push(word);
            return Ok(());
        }
        // Of the blanks between two encoded-words a reader sees none.
        let lead = if std::mem::take(&mut self.ends_encoded) { blanks } else { "" };
        self.push(blanks);
        word.split_inclusive(ends_part(self.holds)).enumerate().try_for_each(|(number, part)| {
            if number > 0 && self.column + part.len() > LINE {
                self.new_line(" ");
            }
            self.push_part(if number == 0 { lead } else { "" }, part)
        })
    }

    fn push_part(&mut self, lead: &str, part: &str) -> Result<(), Unfoldable> {
        if part.len() <= MAX_WORD {
            self.push(part);
            return Ok(());
        }
        if self.holds == Holds::Identifiers
            || (self.holds == Holds::Addresses && part.contains(['@', '<', '>']))
        {
            return Err(Unfoldable);
        }
        let text = format!("{lead}{}", encoded_word::decode(part));
        let encoded = encoded_word::encode(&text, Charset::Utf8, self.column);
        self.text.push_str(&encoded);
        self.column = encoded.rsplit("\r\n").next().unwrap_or_default().len();
        self.ends_encoded = true;
        Ok(())
    }

    fn new_line(&mut self, blanks: &str) {
        self.text.push_str("\r\n");
        self.column = 0;
        self.push(if blanks.len() > MAX_BLANKS { " " } else { blanks });
    }

    fn push(&mut self, text: &str) {
        self.ends_encoded &= text.chars().all(is_blank);
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
        let folded = fold(&value, 10, Holds::Text).unwrap();
        assert_eq!(folded.replace("\r\n", ""), value.trim_end());
        assert!(folded.split("\r\n").all(|line| line.len() <= LINE && !line.trim().is_empty()));
    }

    #[test]
    fn without_blanks_it_is_folded_behind_commas() {
        let value = format!(" {}c@d", "somebody@example.org,".repeat(60));
        let folded = fold(&value, 3, Holds::Addresses).unwrap();
        assert_eq!(folded.replace("\r\n ", ""), value);
        assert!(folded.split("\r\n").all(|line| line.len() <= LINE));
    }

    #[test]
    fn what_has_no_place_to_fold_is_encoded() {
        let value = format!(" {}", "x".repeat(1500));
        let folded = fold(&value, 8, Holds::Text).unwrap();
        assert_eq!(encoded_word::decode(&folded), value);
        assert!(folded.split("\r\n").all(|line| line.len() <= LINE));
        assert_eq!(fold(&format!(" <{}@x>", "x".repeat(1500)), 3, Holds::Addresses), Err(Unfoldable));
    }

    #[test]
    fn each_kind_of_field_has_its_places() {
        let refers = format!(" {}", "<0123456789@example.org>".repeat(60));
        assert_eq!(fold(&refers, 11, Holds::Identifiers).unwrap().replace("\r\n ", ""), refers);
        assert_eq!(fold(&format!(" <{}@x>", "x".repeat(1500)), 12, Holds::Identifiers), Err(Unfoldable));
        let addresses = format!(" {}", "somebody@example.org;".repeat(60));
        assert_eq!(fold(&addresses, 3, Holds::Addresses).unwrap().replace("\r\n ", ""), addresses);
    }

    #[test]
    fn blanks_and_words_that_are_encoded_stay_what_they_are() {
        let two = format!(" {} {}", "x".repeat(950), "y".repeat(1500));
        assert_eq!(encoded_word::decode(&fold(&two, 8, Holds::Text).unwrap()), two);
        let long = format!(" =?utf-8?b?{}?=", "QUJD".repeat(300));
        assert_eq!(
            encoded_word::decode(&fold(&long, 8, Holds::Text).unwrap()),
            format!(" {}", "ABC".repeat(300))
        );
    }

    #[test]
    fn what_is_short_enough_stays() {
        let value = format!(" {}\r\n short", "x".repeat(MAX_LINE - 2));
        assert_eq!(fold(&value, 1, Holds::Text).unwrap(), value);
        assert_ne!(fold(&value, 2, Holds::Text).unwrap(), value);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_line_is_too_long_and_none_is_blank(
            words in proptest::collection::vec(("[ \t]{1,4}| {70}", "[a-z,]{1,40}|[a-z]{1200}|é{600}"), 1..40), column in 1_usize..70,
        ) {
            let value: String = words.iter().map(|(blanks, word)| format!("{blanks}{word}")).collect();
            let folded = fold(&value, column, Holds::Text).unwrap();
            for (number, line) in folded.split("\r\n").enumerate() {
                let begin = if number == 0 { column } else { 0 };
                prop_assert!(begin + line.len() <= MAX_LINE);
                prop_assert!(number == 0 || !line.trim().is_empty());
            }
        }
    }
}
