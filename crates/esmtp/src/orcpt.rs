//! The value of ORCPT (RFC 3461 section 4.2): the type of an address, a semicolon, and the address in xtext.
//!
//! Of type `utf-8` it is not in xtext, but in a form of its own (RFC 6533 section 3): what may not stand as it is, is written
//! `\x{2B}`, with the number of the character. To a host without SMTPUTF8 that is everything beyond ASCII.

use types::OriginalRecipient;

use crate::xtext;

/// The most octets of a value (RFC 3461 section 4.2).
const MAX_OCTETS: usize = 500;

const ESCAPE: &str = r"\x{";

/// Whom the value names, if it names anybody.
pub(crate) fn read(value: &str) -> Option<OriginalRecipient> {
    let (address_type, written) = value.split_once(';').filter(|_| value.len() <= MAX_OCTETS)?;
    let address = if address_type.eq_ignore_ascii_case("utf-8") {
        unescaped(written)?
    } else {
        String::from_utf8(xtext::decode(written.as_bytes())?).ok()?
    };
    OriginalRecipient::new(address_type, &address)
}

/// The value for a transaction with or without SMTPUTF8, unless it would be too long.
pub(crate) fn write(original: &OriginalRecipient, smtputf8: bool) -> Option<String> {
    let address = if original.is_utf8() {
        escaped(original.address(), smtputf8)
    } else {
        xtext::encode(original.address())
    };
    Some(format!("{};{address}", original.address_type())).filter(|value| value.len() <= MAX_OCTETS)
}

/// `utf-8-addr-unitext`, and for a transaction without SMTPUTF8 `utf-8-addr-xtext`.
fn escaped(address: &str, smtputf8: bool) -> String {
    let mut written = String::with_capacity(address.len());
    for character in address.chars() {
        if is_plain(character) || (smtputf8 && !character.is_ascii()) {
            written.push(character);
        } else {
            written.push_str(&format!("{ESCAPE}{:X}}}", u32::from(character)));
        }
    }
    written
}

fn unescaped(written: &str) -> Option<String> {
    let mut parts = written.split(ESCAPE);
    let mut address = unitext(parts.next()?)?.to_owned();
    for part in parts {
        let (digits, rest) = part.split_once('}')?;
        address.push(embedded(digits)?);
        address.push_str(unitext(rest)?);
    }
    Some(address)
}

/// `*QUCHAR`.
fn unitext(text: &str) -> Option<&str> {
    text.chars().all(|character| is_plain(character) || !character.is_ascii()).then_some(text)
}

/// `QCHAR`.
fn is_plain(character: char) -> bool {
    character.is_ascii_graphic() && !matches!(character, '\\' | '+' | '=')
}

/// `HEXPOINT`: what may stand as it is in ASCII may not be written so.
fn embedded(digits: &str) -> Option<char> {
    let is_number = (2..=6).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|octet| octet.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_number)?;
    char::from_u32(number).filter(|character| !is_plain(*character))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read_as(value: &str) -> Option<String> {
        read(value).map(|original| original.to_string())
    }

    #[test]
    fn the_address_is_in_xtext_or_has_characters_by_their_numbers() {
        for (value, original) in [
            ("rfc822;bob@example.net", "rfc822;bob@example.net"),
            ("RFC822;bob+2Btag@example.net", "RFC822;bob+tag@example.net"),
            ("rfc822;+22odd+20one+22@example.net", "rfc822;\"odd one\"@example.net"),
            ("utf-8;j\u{fc}rgen@example.net", "utf-8;j\u{fc}rgen@example.net"),
            (r"utf-8;j\x{FC}rgen@example.net", "utf-8;j\u{fc}rgen@example.net"),
            (r"UTF-8;\x{1f4ec}\x{20}\x{2B}\x{3D}\x{5C}x", "UTF-8;\u{1f4ec} +=\\x"),
            ("utf-8;{x}@example.net", "utf-8;{x}@example.net"),
        ] {
            assert_eq!(read_as(value).as_deref(), Some(original), "{value}");
        }
    }

    #[test]
    fn whatever_could_be_read_in_two_ways_or_break_a_line_is_refused() {
        for value in [
            "",
            "bob@example.net",
            ";bob@example.net",
            "rfc822;",
            "rfc822;a+",
            "rfc822;a+2b",
            "rfc822;a=b",
            "rfc822;a+0D+0AX:",
            "rfc822;j+C3+BCrgen",
            "rfc822;j\u{fc}rgen",
            "utf-8;",
            "utf-8;a+2Bb",
            "utf-8;a=b",
            r"utf-8;a\b",
            r"utf-8;\x{",
            r"utf-8;\x{}",
            r"utf-8;\x{41}",
            r"utf-8;\x{0FC}",
            r"utf-8;\x{+FC}",
            r"utf-8;\x{D800}",
            r"utf-8;\x{110000}",
            r"utf-8;\x{100000000}",
            r"utf-8;\x{0D}\x{0A}X:",
            r"utf-8;\x{7F}",
            r"utf-8;\x{85}",
        ] {
            assert_eq!(read_as(value), None, "{value}");
        }
    }

    #[test]
    fn a_value_has_its_length() {
        let (longest, too_long) =
            (format!("rfc822;{}", "a".repeat(493)), format!("rfc822;{}", "+20".repeat(165)));
        assert!(read(&longest).is_some() && read(&too_long).is_none());
        // Short enough as it is, but not as it would have to be written.
        let original = OriginalRecipient::new("utf-8", &"\u{fc}".repeat(100)).unwrap();
        assert!(write(&original, true).is_some() && write(&original, false).is_none());
    }

    #[test]
    fn beyond_ascii_it_is_written_as_the_transaction_can_take_it() {
        let original = OriginalRecipient::new("utf-8", "j\u{fc}rgen+x@example.net").unwrap();
        assert_eq!(write(&original, true).as_deref(), Some("utf-8;j\u{fc}rgen\\x{2B}x@example.net"));
        assert_eq!(write(&original, false).as_deref(), Some(r"utf-8;j\x{FC}rgen\x{2B}x@example.net"));
        let original = OriginalRecipient::new("rfc822", "bob+x@example.net").unwrap();
        assert_eq!(write(&original, true).as_deref(), Some("rfc822;bob+2Bx@example.net"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(kind in "rfc822|utf-8|x400", address in "\\PC{1,40}", smtputf8: bool) {
            if let Some(original) = OriginalRecipient::new(&kind, &address)
                && let Some(value) = write(&original, smtputf8)
            {
                prop_assert!(smtputf8 || value.is_ascii());
                prop_assert!(!value.contains([' ', '=']));
                prop_assert_eq!(read(&value), Some(original));
            }
        }

        #[test]
        fn no_value_is_too_strange_to_be_read(value in "(rfc822|utf-8)?;?(\\PC|\\\\x\\{[0-9A-F]{0,7}\\}?|\\+[0-9A-F]{0,2}){0,20}") {
            let _ = read(&value);
        }
    }
}
