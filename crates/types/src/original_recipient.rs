//! Whom a sender had named: ORCPT of RCPT (RFC 3461 section 4.2), decoded.

use std::fmt;

use crate::ForwardPath;

/// The most octets of an original recipient with its type (RFC 3461 section 4.2 has 500 for its encoded form, which is never
/// shorter).
const MAX_OCTETS: usize = 500;

/// The type of addresses that may have characters beyond ASCII in them (RFC 6533 section 3).
const UTF_8: &str = "utf-8";

/// Whom the sender had named before lists and forwarding. It is written as in the field Original-Recipient of a notification
/// (RFC 3464 section 2.3.1): `rfc822;bob@example.net`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OriginalRecipient {
    address_type: Box<str>,
    address: Box<str>,
}

impl OriginalRecipient {
    /// The address of this type. `None` if the type is no atom (RFC 3461 section 4.2), the address is empty, has control
    /// characters in it, or without being of type `utf-8` characters beyond ASCII, or both together have more than 500 octets.
    #[must_use]
    pub fn new(address_type: &str, address: &str) -> Option<Self> {
        let is_one = is_atom(address_type)
            && !address.is_empty()
            && !address.contains(char::is_control)
            && (address.is_ascii() || is_utf8(address_type))
            && address_type.len() + 1 + address.len() <= MAX_OCTETS;
        is_one.then(|| Self { address_type: address_type.into(), address: address.into() })
    }

    /// Reads the type of an address, a semicolon, and the address, as [`new`](Self::new) takes them.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (address_type, address) = text.split_once(';')?;
        Self::new(address_type, address)
    }

    /// A recipient itself, whom nobody has forwarded yet.
    #[must_use]
    pub fn of(path: &ForwardPath) -> Self {
        let path_text = path.to_string();
        let address =
            path_text.strip_prefix('<').and_then(|text| text.strip_suffix('>')).unwrap_or(&path_text);
        Self { address_type: if path.is_ascii() { "rfc822" } else { UTF_8 }.into(), address: address.into() }
    }

    /// What kind of address it is, such as `rfc822`, as it was written.
    #[must_use]
    pub fn address_type(&self) -> &str {
        &self.address_type
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether the address is of type `utf-8`, and so may have characters beyond ASCII in it.
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        is_utf8(&self.address_type)
    }
}

impl fmt::Display for OriginalRecipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.address_type, self.address)
    }
}

fn is_utf8(address_type: &str) -> bool {
    address_type.eq_ignore_ascii_case(UTF_8)
}

/// `atom` of RFC 822 section 3.3, which RFC 3461 refers to: no specials, blanks or controls.
fn is_atom(text: &str) -> bool {
    let is_atom_char = |octet: u8| octet.is_ascii_graphic() && !b"()<>@,;:\\\".[]".contains(&octet);
    !text.is_empty() && text.bytes().all(is_atom_char)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_original_recipient_has_a_type_and_an_address() {
        for (text, is_utf8) in [
            ("rfc822;bob@example.net", false),
            ("utf-8;jürgen@bücher.example", true),
            ("UTF-8;bob@example.net", true),
            ("x400;/S=Bob; /C=NZ/", false),
            ("a;b", false),
        ] {
            let original = OriginalRecipient::from_text(text).unwrap();
            assert_eq!((original.to_string().as_str(), original.is_utf8()), (text, is_utf8));
        }
        let (longest, too_long) = (MAX_OCTETS - "rfc822;".len(), MAX_OCTETS - "rfc822".len());
        assert!(OriginalRecipient::new("rfc822", &"a".repeat(longest)).is_some());
        let long = format!("rfc822;{}", "a".repeat(too_long));
        for text in [
            "",
            ";",
            "rfc822",
            "rfc822;",
            ";bob",
            "rfc 822;bob",
            "rfc@822;bob",
            "rfc822;b\r\nob",
            "utf-8;b\u{85}ob",
            "rfc822;jürgen@example.net",
            &long,
        ] {
            assert_eq!(OriginalRecipient::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_recipient_is_its_own_original() {
        for (path, original) in [
            ("<bob@example.net>", "rfc822;bob@example.net"),
            ("<\"odd > one\"@example.net>", "rfc822;\"odd > one\"@example.net"),
            ("<jürgen@example.net>", "utf-8;jürgen@example.net"),
            ("<Postmaster>", "rfc822;Postmaster"),
        ] {
            let of = OriginalRecipient::of(&ForwardPath::take(path).unwrap().0);
            assert_eq!(of.to_string(), original);
            assert_eq!(OriginalRecipient::from_text(original), Some(of));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}|[a-z]{1,6};\\PC{0,20}|utf-8;\\PC{0,20}") {
            if let Some(original) = OriginalRecipient::from_text(&text) {
                prop_assert_eq!(original.to_string(), text);
            }
        }
    }
}
