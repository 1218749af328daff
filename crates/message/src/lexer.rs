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

/// What in a field has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unclosed {
    /// A quoted-string.
    Quote,
    /// A comment.
    Comment,
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

/// The tokens of a field's value, and what in it has no end. A quote or bracket that is not closed is one character like
/// others, and so are those behind it.
pub(crate) fn lex(value: &str) -> (Vec<Token<'_>>, Option<Unclosed>) {
    let mut tokens = Vec::with_capacity(8);
    let mut unclosed = None;
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = measure(rest, first, &mut unclosed);
        let (text, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        tokens.push(Token { kind, text });
        rest = after;
    }
    (tokens, unclosed)
}

fn measure(rest: &str, first: char, unclosed: &mut Option<Unclosed>) -> (Kind, usize) {
    let is_open = unclosed.is_some();
    let mut closed = |length: Option<usize>, kind, flaw| {
        if length.is_none() {
            unclosed.get_or_insert(flaw);
        }
        length.map_or((Kind::Special(first), first.len_utf8()), |length| (kind, length))
    };
    match first {
        ' ' | '\t' | '\r' | '\n' => (Kind::Blank, run(rest, |c| matches!(c, ' ' | '\t' | '\r' | '\n'))),
        // Looked for once: what has no end here has none further on.
        '"' | '(' if is_open => (Kind::Special(first), 1),
        '"' => closed(quoted_length(rest), Kind::Quoted, Unclosed::Quote),
        '(' => closed(comment_length(rest), Kind::Comment, Unclosed::Comment),
        c if is_word(c) => {
            let encoded = EncodedWord::take(rest).map_or(0, |word| word.length);
            let behind = rest.get(encoded..).unwrap_or_default();
            (Kind::Word, encoded + run(behind, is_word))
        }
        c => (Kind::Special(c), c.len_utf8()),
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
        lex(value).0.into_iter().map(|token| (token.kind, token.text)).collect()
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
    fn what_has_no_end_is_told_and_is_text() {
        for (value, flaw, tokens) in [
            ("\"a", Unclosed::Quote, 2),
            ("\"a\\\"", Unclosed::Quote, 4),
            ("(a", Unclosed::Comment, 2),
            ("(a(b)", Unclosed::Comment, 5),
            ("a\" (b) <", Unclosed::Quote, 8),
        ] {
            let (found, unclosed) = lex(value);
            assert_eq!((found.len(), unclosed), (tokens, Some(flaw)), "{value}");
        }
    }

    #[test]
    fn content_is_what_is_meant() {
        assert_eq!(lex("\"a\\\\ \\\"\r\n b\"").0[0].content(), "a\\ \" b");
        assert_eq!(lex("(a (b\\) c))").0[0].content(), "a (b) c)");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(value in "([ab@<>(),;:\"\\\\. é]|\r\n |=\\?u\\?q\\?a\\?=){0,40}") {
            let (tokens, _) = lex(&value);
            prop_assert_eq!(tokens.iter().map(|token| token.text).collect::<String>(), value);
        }
    }
}
