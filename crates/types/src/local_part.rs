//! The name before the at sign: a dot-string or a quoted string (RFC 5321 section 4.1.2, RFC 6531 section 3.3).
//!
//! A dot-string may have its dots anywhere, unlike in the grammar: providers once gave out addresses such as
//! `try..this@` that still work, and some servers send as `host.@`.

use std::fmt::{self, Write};

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::{AddressError, MAX_PATH};

/// The most octets a local part may have as it is written: what the shortest domain leaves of a path. RFC 5321 section
/// 4.5.3.1.1 has 64 as the least that is to be taken, and section 4.5.3.1 wants no limit where it can be helped.
pub const MAX_LOCAL_PART: usize = MAX_PATH - "<@d>".len();

/// A local part, held as what it means: without quotes and backslashes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LocalPart(Box<str>);

impl LocalPart {
    /// Takes the local part at the start of `input` and returns what follows it.
    pub(crate) fn take(input: &str) -> Result<(Self, &str), AddressError> {
        let (name, rest) = match input.strip_prefix('"') {
            Some(quoted) => take_quoted(quoted)?,
            None => take_dot_string(input)?,
        };
        if input.len().saturating_sub(rest.len()) > MAX_LOCAL_PART {
            return Err(AddressError::LocalPartTooLong);
        }
        // An empty quoted string names nobody, and an encoded-word is here only to be decoded by somebody
        // further on who should not (RFC 2047 section 5 forbids it in an address).
        if name.is_empty() || looks_like_encoded_word(&name) {
            return Err(AddressError::LocalPart);
        }
        Ok((Self(name), rest))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it can be written without quotes.
    pub(crate) fn is_dot_string(&self) -> bool {
        is_dot_string(&self.0)
    }

    /// The form in which equal names are equal: NFC in lower case, quoted only where it must be.
    pub(crate) fn normal(&self) -> String {
        self.folded().to_string()
    }

    /// NFC in lower case.
    fn folded(&self) -> Self {
        let folded = if self.0.is_ascii() { self.0.to_ascii_lowercase() } else { fold(&self.0) };
        Self(folded.into_boxed_str())
    }

    /// Whether it reads as nothing but a name: what needs quotes can look like anything, `=?` begins an encoded-word, whose
    /// end may stand somewhere else in a header field, and a full-width `@` is one to who reads it.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_dot_string() && !self.0.contains("=?") && !self.0.chars().any(stands_for_a_special)
    }

    /// Whether this is the other name with a tag, `name+tag` (RFC 5233): both are plain.
    pub(crate) fn is_tagged(&self, other: &Self) -> bool {
        let (tagged, name) = (self.folded(), other.folded());
        let tag = tagged.as_str().strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('+'));
        tag.is_some_and(|tag| !tag.is_empty()) && tagged.is_plain() && name.is_plain()
    }
}

impl fmt::Display for LocalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_dot_string() {
            return f.write_str(&self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_char('\\')?;
            }
            f.write_char(c)?;
        }
        f.write_char('"')
    }
}

/// `Dot-string = Atom *("." Atom)`, but with dots anywhere.
fn take_dot_string(input: &str) -> Result<(Box<str>, &str), AddressError> {
    let end = input.find(|c| !is_dot_text(c)).unwrap_or(input.len());
    let (name, rest) = input.split_at_checked(end).ok_or(AddressError::LocalPart)?;
    Ok((name.into(), rest))
}

/// `Quoted-string = DQUOTE *QcontentSMTP DQUOTE`, its opening quote already taken.
fn take_quoted(input: &str) -> Result<(Box<str>, &str), AddressError> {
    let mut name = String::new();
    let mut chars = input.chars();
    loop {
        match chars.next().ok_or(AddressError::LocalPart)? {
            '"' => return Ok((name.into_boxed_str(), chars.as_str())),
            // quoted-pairSMTP = %d92 %d32-126: ASCII alone can be quoted
            '\\' => match chars.next() {
                Some(c @ ' '..='~') => name.push(c),
                _ => return Err(AddressError::LocalPart),
            },
            c if is_qtext(c) => name.push(c),
            _ => return Err(AddressError::LocalPart),
        }
    }
}

fn is_dot_string(name: &str) -> bool {
    name.chars().all(is_dot_text)
}

fn is_dot_text(c: char) -> bool {
    c == '.' || is_atext(c)
}

/// `atext` of RFC 5322 section 3.2.3, with `UTF8-non-ascii` of RFC 6531 section 3.3.
fn is_atext(c: char) -> bool {
    matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '!' | '#'..='\'' | '*' | '+' | '-' | '/' | '=' | '?' | '^'..='`' | '{'..='~')
        || is_plain_non_ascii(c)
}

/// `qtextSMTP` of RFC 5321 section 4.1.2, with `UTF8-non-ascii`.
fn is_qtext(c: char) -> bool {
    matches!(c, ' '..='~') || is_plain_non_ascii(c)
}

/// Any character beyond ASCII but white space, controls and those which cannot be seen or turn the direction of
/// writing: an address is shown to people and written to logs.
fn is_plain_non_ascii(c: char) -> bool {
    let unshowable = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe;
    !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !unshowable
}

/// Whether a character beyond ASCII is, in its compatibility decomposition, one that needs quotes.
fn stands_for_a_special(c: char) -> bool {
    !c.is_ascii() && std::iter::once(c).nfkd().any(|c| c.is_ascii() && c != '.' && !is_atext(c))
}

/// `=?charset?encoding?text?=` anywhere in the name.
fn looks_like_encoded_word(name: &str) -> bool {
    name.split_once("=?").is_some_and(|(_, inside)| inside.contains("?="))
}

/// Lower-casing can undo NFC, so it is restored; one pass more changes nothing.
fn fold(name: &str) -> String {
    let composed = if is_nfc(name) { name.to_owned() } else { name.nfc().collect() };
    composed.chars().flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn meaning(text: &str) -> Option<String> {
        let (name, rest) = LocalPart::take(text).ok()?;
        rest.is_empty().then(|| name.as_str().to_owned())
    }

    #[test]
    fn dot_strings_and_quoted_strings_mean_what_they_say() {
        for (text, meant) in [
            ("alice", "alice"),
            ("a.b+tag", "a.b+tag"),
            ("!#$%&'*+-/=?^_`{|}~", "!#$%&'*+-/=?^_`{|}~"),
            ("user%host", "user%host"),
            ("host!user", "host!user"),
            ("\"alice\"", "alice"),
            ("\"a b\"", "a b"),
            ("\"a\\\"b\"", "a\"b"),
            ("\"\\a\\\\\"", "a\\"),
            ("\"a@b\"", "a@b"),
            ("\">\"", ">"),
            ("\" \"", " "),
            ("\"..\"", ".."),
            (".", "."),
            (".a", ".a"),
            ("a.", "a."),
            ("try..this..", "try..this.."),
            ("用户", "用户"),
            ("\"用 户\"", "用 户"),
        ] {
            assert_eq!(meaning(text).as_deref(), Some(meant), "{text}");
        }
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for text in [
            "",
            "\"\"",
            "\"",
            "\"a",
            "\"\\\"",
            "\"a\\",
            "\"\t\"",
            "\"\\\t\"",
            "\"a\r\nb\"",
            "\"\0\"",
            "\"\x7f\"",
            "\"\\é\"",
            "\u{80}",
            "\u{85}",
            "\u{2028}",
            "\u{200d}a",
            "a\u{200b}",
            "\u{202e}a",
            "\u{feff}",
            "\u{a0}",
            "\u{3000}",
            "\u{fffe}",
            "=?x?q?=41=3e?=",
            "\"=?utf-8?q?a?=\"",
        ] {
            assert_eq!(meaning(text), None, "{text:?}");
        }
    }

    #[test]
    fn taking_stops_at_the_first_character_that_no_name_has() {
        for (text, rest) in [
            ("a@b", "@b"),
            ("a b", " b"),
            ("\"a\"b", "b"),
            ("a\"b\"", "\"b\""),
            ("a;b", ";b"),
            ("a,b", ",b"),
            ("a(b", "(b"),
        ] {
            assert_eq!(LocalPart::take(text).unwrap().1, rest);
        }
    }

    #[test]
    fn a_name_has_at_most_252_octets_as_written() {
        assert!(LocalPart::take(&"a".repeat(252)).is_ok());
        assert_eq!(LocalPart::take(&"a".repeat(253)), Err(AddressError::LocalPartTooLong));
        assert_eq!(LocalPart::take(&format!("\"{}\"", "a".repeat(251))), Err(AddressError::LocalPartTooLong));
        assert_eq!(LocalPart::take(&"é".repeat(127)), Err(AddressError::LocalPartTooLong));
    }

    #[test]
    fn a_name_is_plain_if_it_reads_as_nothing_else() {
        for (text, plain) in [
            ("a", true),
            ("a.", true),
            ("\"a..b\"", true),
            ("a=b?c", true),
            ("\"a b\"", false),
            ("\"a@b\"", false),
            ("=?utf-8?q?a", false),
            ("a=?", false),
            ("a?=", true),
        ] {
            assert_eq!(LocalPart::take(text).unwrap().0.is_plain(), plain, "{text}");
        }
    }

    #[test]
    fn equal_names_have_one_normal_form() {
        for (text, normal) in [
            ("Alice", "alice"),
            ("\"Alice\"", "alice"),
            ("\"al\\ice\"", "alice"),
            ("\"A B\"", "\"a b\""),
            ("\"a\\\"B\"", "\"a\\\"b\""),
            ("\"A..\"", "a.."),
            ("JOSE\u{301}", "josé"),
            ("josé", "josé"),
            ("ΑΣ", "ασ"),
        ] {
            assert_eq!(LocalPart::take(text).unwrap().0.normal(), normal);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_displayed_reads_the_same(text in "\\PC{0,40}|\"([ -~é]|\\\\[ -~]){0,20}\"") {
            if let Ok((name, rest)) = LocalPart::take(&text) {
                let shown = name.to_string();
                prop_assert!(shown.len() + rest.len() <= text.len());
                prop_assert_eq!(meaning(&shown), Some(name.as_str().to_owned()));
            }
        }

        #[test]
        fn normal_forms_are_stable(text in "\\PC{1,12}|\"[^\"\\\\\\pC]{1,12}\"") {
            if let Ok((name, _)) = LocalPart::take(&text) {
                let normal = name.normal();
                prop_assert_eq!(LocalPart(Box::from(fold(&fold(name.as_str())))).to_string(), normal);
            }
        }
    }
}
