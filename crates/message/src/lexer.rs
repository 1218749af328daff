//! The tokens of structured header fields (RFC 5322 section 3.2), one lexer for all who read such a field.

use crate::encoded_word::EncodedWord;

/// A piece of a structured field. All tokens together are the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind,
    /// As it stands in the field, with its quotes or brackets.
    pub(crate) text: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// White space and folds.
    Blank,
    /// In round brackets; comments may nest.
    Comment,
    /// A quoted-string.
    Quoted,
    /// Atoms with dots, or a whole encoded-word whatever is in it.
    Word,
    /// Anything else: one character.
    Special(char),
}

/// Why a field has no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LexError {
    /// A quoted-string has no end.
    OpenQuote,
    /// A comment has no end.
    OpenComment,
}

impl Token<'_> {
    /// Whether it only stands between others: CFWS of RFC 5322 section 3.2.2.
    pub(crate) fn is_cfws(&self) -> bool {
        matches!(self.kind, Kind::Blank | Kind::Comment)
    }

    pub(crate) fn is(&self, special: char) -> bool {
        self.kind == Kind::Special(special)
    }

    /// What a quoted-string or a comment says: without its marks, its backslashes and its folds.
    pub(crate) fn content(&self) -> String {
        let mut content = String::with_capacity(self.text.len());
        let mut chars = self.text.get(1..self.text.len().saturating_sub(1)).unwrap_or_default().chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => content.extend(chars.next()),
                '\r' | '\n' => {}
                c => content.push(c),
            }
        }
        content
    }
}

/// The tokens of a field's value.
pub(crate) fn lex(value: &str) -> Result<Vec<Token<'_>>, LexError> {
    let mut tokens = Vec::with_capacity(8);
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = measure(rest, first)?;
        let (text, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        tokens.push(Token { kind, text });
        rest = after;
    }
    Ok(tokens)
}

fn measure(rest: &str, first: char) -> Result<(Kind, usize), LexError> {
    match first {
        ' ' | '\t' | '\r' | '\n' => Ok((Kind::Blank, run(rest, |c| matches!(c, ' ' | '\t' | '\r' | '\n')))),
        '"' => quoted_length(rest).map(|length| (Kind::Quoted, length)).ok_or(LexError::OpenQuote),
        '(' => comment_length(rest).map(|length| (Kind::Comment, length)).ok_or(LexError::OpenComment),
        '=' if EncodedWord::take(rest).is_some() => {
            let word = EncodedWord::take(rest).map_or(0, |word| word.length);
            let behind = rest.get(word..).unwrap_or_default();
            Ok((Kind::Word, word + run(behind, is_word)))
        }
        c if is_word(c) => Ok((Kind::Word, run(rest, is_word))),
        c => Ok((Kind::Special(c), c.len_utf8())),
    }
}

fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|c| !of(c)).unwrap_or(text.len())
}

fn quoted_length(rest: &str) -> Option<usize> {
    let mut escaped = false;
    rest.char_indices().skip(1).find_map(|(at, c)| match c {
        _ if escaped => {
            escaped = false;
            None
        }
        '\\' => {
            escaped = true;
            None
        }
        '"' => Some(at + 1),
        _ => None,
    })
}

fn comment_length(rest: &str) -> Option<usize> {
    let (mut depth, mut escaped) = (0_usize, false);
    rest.char_indices().find_map(|(at, c)| {
        let literal = std::mem::take(&mut escaped);
        match c {
            _ if literal => {}
            '\\' => escaped = true,
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at + 1)
    })
}

/// `atext` of RFC 5322 section 3.2.3 and RFC 6532 section 3.2, or a dot.
pub(crate) fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~.".contains(c)
        || (!c.is_ascii() && !c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(value: &str) -> Vec<(Kind, &str)> {
        lex(value).unwrap().into_iter().map(|token| (token.kind, token.text)).collect()
    }

    #[test]
    fn a_field_falls_into_its_tokens() {
        use Kind::{Blank, Comment, Quoted, Special, Word};
        assert_eq!(
            kinds("\"a \\\" b\"\r\n (c(d)\\))J.=?u?q?a,b?=x<a@b>"),
            [
                (Quoted, "\"a \\\" b\""),
                (Blank, "\r\n "),
                (Comment, "(c(d)\\))"),
                (Word, "J.=?u?q?a"),
                (Special(','), ","),
                (Word, "b?=x"),
                (Special('<'), "<"),
                (Word, "a"),
                (Special('@'), "@"),
                (Word, "b"),
                (Special('>'), ">"),
            ]
        );
        assert_eq!(kinds("=?u?q?(a),<b>?= x")[0], (Word, "=?u?q?(a),<b>?="));
    }

    #[test]
    fn what_has_no_end_is_told() {
        for (value, error) in [
            ("\"a", LexError::OpenQuote),
            ("\"a\\\"", LexError::OpenQuote),
            ("(a", LexError::OpenComment),
            ("(a(b)", LexError::OpenComment),
            ("(a\\)", LexError::OpenComment),
        ] {
            assert_eq!(lex(value), Err(error), "{value}");
        }
    }

    #[test]
    fn content_is_what_is_meant() {
        assert_eq!(lex("\"a\\\\ \\\"\r\n b\"").unwrap()[0].content(), "a\\ \" b");
        assert_eq!(lex("(a (b\\) c))").unwrap()[0].content(), "a (b) c)");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(value in "([ab@<>(),;:\"\\\\. é]|\r\n |=\\?u\\?q\\?a\\?=){0,40}") {
            if let Ok(tokens) = lex(&value) {
                prop_assert_eq!(tokens.iter().map(|token| token.text).collect::<String>(), value);
            }
        }
    }
}
