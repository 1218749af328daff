//! SASLprep (RFC 4013), as far as SCRAM wants it (RFC 5802 sections 2.2 and 5.1).

use stringprep::{saslprep, tables};
use types::Secret;
use zeroize::Zeroizing;

/// The password that keys are made of: two ways to write the same characters make the same keys. `None` if it is not UTF-8,
/// or has characters that SASLprep does not allow, or none.
pub(super) fn password(password: &Secret) -> Option<Zeroizing<String>> {
    let prepared = saslprep(password.declassify_str()?).ok()?;
    (!prepared.is_empty()).then(|| Zeroizing::new(prepared.into_owned()))
}

/// Whether a name has no character that SASLprep prohibits (RFC 4013 section 2.3). Which names are the same is for the judge to
/// know; it has one form for the names of all mechanisms. So characters younger than SASLprep are allowed, and both directions of
/// writing in one name, as an address may have them.
pub(super) fn allows_name(name: &str) -> bool {
    !name.chars().all(tables::commonly_mapped_to_nothing) && !name.chars().any(is_prohibited)
}

fn is_prohibited(c: char) -> bool {
    tables::ascii_control_character(c)
        || tables::non_ascii_control_character(c)
        || tables::private_use(c)
        || tables::non_character_code_point(c)
        || tables::inappropriate_for_plain_text(c)
        || tables::inappropriate_for_canonical_representation(c)
        || tables::change_display_properties_or_deprecated(c)
        || tables::tagging_character(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(text: &str) -> Option<String> {
        password(&Secret::new(text)).map(|text| text.to_string())
    }

    /// RFC 4013 section 3.
    #[test]
    fn the_examples_of_rfc_4013() {
        assert_eq!(prepared("I\u{ad}X").as_deref(), Some("IX"));
        assert_eq!(prepared("user").as_deref(), Some("user"));
        assert_eq!(prepared("USER").as_deref(), Some("USER"));
        assert_eq!(prepared("\u{aa}").as_deref(), Some("a"));
        assert_eq!(prepared("\u{2168}").as_deref(), Some("IX"));
        assert_eq!(prepared("\u{7}"), None);
        assert_eq!(prepared("\u{627}1"), None);
    }

    #[test]
    fn a_password_is_text_and_not_empty() {
        assert_eq!(prepared("a\u{a0}b").as_deref(), Some("a b"));
        assert_eq!(prepared("e\u{301}").as_deref(), Some("é"));
        for text in ["", "\u{ad}", "\0", "a\u{e000}"] {
            assert_eq!(prepared(text), None, "{text:?}");
        }
        assert!(password(&Secret::new([0xff])).is_none());
    }

    #[test]
    fn names_of_all_scripts_are_allowed_and_invisible_ones_are_not() {
        for name in
            ["alice@example.org", "jörg", "\u{627}\u{628}@example.org", "a b", "I\u{ad}X", "🦀@example.org"]
        {
            assert!(allows_name(name), "{name:?}");
        }
        for name in [
            "\u{ad}",
            "\u{200b}",
            "a\u{200e}",
            "a\u{202e}b",
            "a\u{e000}",
            "a\u{fffd}",
            "\u{7f}",
            "a\u{e0001}",
            "a\u{6dd}",
            "a\u{fdd0}",
            "a\u{2ff0}",
        ] {
            assert!(!allows_name(name), "{name:?}");
        }
    }
}
