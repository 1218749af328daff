//! The form of a list of mailboxes that every reader reads alike.
//!
//! An `@`, `<`, `>` or `,` within quotes, comments or encoded-words comes alive in any reader that loses its place. Whatever
//! might make one lose it is not plain: the field is written anew then.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

use crate::encoded_word::EncodedWord;

/// Whether a field's value is a list of mailboxes in plain form: printable ASCII, folded between words at most;
/// addresses separated by `, `; each an addr-spec of dot-atoms, or a phrase, one blank, and the addr-spec in angle
/// brackets; the phrase made of atoms, or of one quoted-string without `@ < > , ; : \`, or of whole encoded-words that
/// decode to such text.
pub(crate) fn is_plain(value: &str) -> bool {
    let value = value.strip_prefix("\r\n").unwrap_or(value);
    let Some(value) = value.strip_prefix(' ') else { return false };
    let Some(lines) = unfolded(value) else { return false };
    lines.split(", ").all(is_plain_mailbox)
}

/// The value on one line; nothing if something in it is no printable ASCII, or a fold is more than one blank, or within
/// quotes.
fn unfolded(value: &str) -> Option<Cow<'_, str>> {
    let is_printable = |text: &str| text.bytes().all(|octet| matches!(octet, b' '..=b'~'));
    if is_printable(value) {
        return Some(value.into());
    }
    let mut quotes = 0;
    let between_words = |line: &str| {
        quotes += line.matches('"').count();
        quotes % 2 == 0
    };
    let line = value.replace("\r\n ", " ");
    (value.split("\r\n").all(between_words) && is_printable(&line)).then(|| line.into())
}

fn is_plain_mailbox(mailbox: &str) -> bool {
    match mailbox.strip_suffix('>').and_then(|inside| inside.rsplit_once(" <")) {
        Some((phrase, address)) => is_plain_phrase(phrase) && is_plain_address(address),
        None => is_plain_address(mailbox),
    }
}

fn is_plain_address(address: &str) -> bool {
    let is_dot_atom = |text: &str| text.split('.').all(is_plain_atom);
    address.split_once('@').is_some_and(|(local_part, domain)| is_dot_atom(local_part) && is_dot_atom(domain))
}

fn is_plain_phrase(phrase: &str) -> bool {
    match phrase.strip_prefix('"') {
        Some(quoted) => quoted.strip_suffix('"').is_some_and(is_plain_text),
        None => {
            phrase.split(' ').all(is_plain_atom) || encoded(phrase).is_some_and(|text| is_plain_text(&text))
        }
    }
}

/// Atoms of RFC 5322 section 3.2.3, but for what looks like a part of an encoded-word.
fn is_plain_atom(atom: &str) -> bool {
    let is_atext = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&octet);
    !atom.is_empty() && atom.bytes().all(is_atext) && !looks_encoded(atom)
}

/// What a phrase of whole encoded-words says (RFC 2047 section 5).
fn encoded(phrase: &str) -> Option<String> {
    let in_a_phrase = |octet: u8| octet.is_ascii_alphanumeric() || b"!*+-/=?_".contains(&octet);
    let meaning = |word: &str| {
        let taken = EncodedWord::take(word).filter(|taken| taken.length == word.len())?;
        taken.meaning().filter(|text| word.bytes().all(in_a_phrase) && !text.chars().any(is_odd))
    };
    let text: String = phrase.split(' ').map(meaning).collect::<Option<_>>()?;
    (!text.contains(|c| special(c).is_some())).then_some(text)
}

/// Text that no reader takes for more than text.
fn is_plain_text(text: &str) -> bool {
    !text.contains(['@', '<', '>', ',', ';', ':', '\\', '"']) && !looks_encoded(text)
}

/// The special of RFC 5322 section 3.2.3 that a reader may see in this character: itself, or in its compatibility
/// decomposition, as in a full-width `@`.
pub(crate) fn special(c: char) -> Option<char> {
    let is_special = |c: &char| "()<>[]:;@\\,\"".contains(*c);
    if c.is_ascii() {
        return Some(c).filter(is_special);
    }
    // Nor must an encoded-word come of it.
    std::iter::once(c).nfkd().find(|c| is_special(c) || matches!(c, '=' | '?'))
}

pub(crate) fn looks_encoded(text: &str) -> bool {
    text.contains("=?") || text.contains("?=")
}

/// Controls, and characters that turn the direction of writing: a name must not turn the address beside it.
pub(crate) fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{fffd}')
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn what_has_one_reading_is_plain() {
        for value in [
            " me@gp.test",
            " Alice <me@gp.test>",
            " Alice B Smith <me.too+x@gp.test>",
            " \"John Q. Public\" <me@gp.test>",
            " \"Alice (Work) [x]\" <me@gp.test>",
            " \"\" <me@gp.test>",
            " =?utf-8?q?J=C3=B6rg?= =?utf-8?q?_M?= <me@gp.test>",
            " =?utf-8?B?SsO2cmc=?= <me@gp.test>",
            "\r\n Alice\r\n Smith\r\n <me@gp.test>",
            " a@b, C <d@e>,\r\n \"F.\" <g@h>",
        ] {
            assert!(is_plain(value), "{value:?}");
        }
    }

    #[test]
    fn what_may_have_two_readings_is_not() {
        for value in [
            "",
            " ",
            "me@gp.test",
            "  me@gp.test",
            " me@gp.test ",
            " <me@gp.test>",
            " Alice<me@gp.test>",
            " Alice  <me@gp.test>",
            " John Q. Public <me@gp.test>",
            " me@gp.test (Alice)",
            " \"a@b\" <me@gp.test>",
            " \"a\\\"b\" <me@gp.test>",
            " \"a, b\" <me@gp.test>",
            " \"a: b\" <me@gp.test>",
            " \"a\" b <me@gp.test>",
            " \"a\" \"b\" <me@gp.test>",
            " \"a\r\n b\" <me@gp.test>",
            " =?utf-8?q?=EF=BC=9D=EF=BC=9Fq?= <me@gp.test>",
            " \"=?utf-8?q?a?=\" <me@gp.test>",
            " =?utf-8?q?ceo=40bank=2Etest?= <me@gp.test>",
            " =?utf-8?q?a=2C_b?= <me@gp.test>",
            " =?utf-8?q?=3D=3Fx?= <me@gp.test>",
            " =?utf-8?q?a=00?= <me@gp.test>",
            " =?utf-8?q?=E2=80=AE?= <me@gp.test>",
            " =?utf-8?q?a=EF=BC=A0b?= <me@gp.test>",
            " =?utf-8?q?a=5Bb=5D?= <me@gp.test>",
            " =?utf-8?q?a.b?= <me@gp.test>",
            " =?utf-8?q?=C3?= <me@gp.test>",
            " =?x?q?a?= <me@gp.test>",
            " =?utf-16?b?/v8AYwBlAG8AQABiAGEAbgBrAC4AdABlAHMAdAAsACA=?= <me@gp.test>",
            " =?x-x-big5?q?ceo=a1=40bank=2Etest?= <me@gp.test>",
            " =?utf-8?q?a?= b <me@gp.test>",
            " =?----- <me@gp.test>",
            " =?x@gp.test",
            " \"me\"@gp.test",
            " me@[192.0.2.1]",
            " me..too@gp.test",
            " me@gp.test,you@gp.test",
            " me@gp.test,  you@gp.test",
            " Jörg <me@gp.test>",
            " a\tb <me@gp.test>",
            "\tme@gp.test",
            " Alice\r\n\t<me@gp.test>",
            " Alice\r\n  <me@gp.test>",
            " [a] <me@gp.test>",
            " g: me@gp.test;",
            " a@b@c",
        ] {
            assert!(!is_plain(value), "{value:?}");
        }
    }
}
