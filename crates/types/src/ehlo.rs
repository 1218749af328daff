//! The name a client gives itself in EHLO or HELO.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use crate::{AddressError, Host, MAX_DOMAIN};

/// What a client calls itself: a domain or an address literal, in ASCII (RFC 5321 section 4.1.1.1).
///
/// The name is a claim, never proved. It is read leniently, since clients send the name of their machine:
/// underscores and any order of hyphens pass, and an IPv6 literal may lack its tag, which is then added. No
/// character passes that could end or open anything in a header field or a log line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EhloName(Box<str>);

impl EhloName {
    /// Reads the argument of EHLO or HELO.
    ///
    /// # Errors
    /// [`AddressError::Domain`], [`AddressError::Literal`] or [`AddressError::DomainTooLong`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.len() > MAX_DOMAIN {
            return Err(AddressError::DomainTooLong);
        }
        if text.starts_with('[') {
            return parse_literal(text).map(|literal| Self(literal.to_string().into_boxed_str()));
        }
        if text.split('.').all(is_label) { Ok(Self(text.into())) } else { Err(AddressError::Domain) }
    }

    /// The name as given; a literal in its canonical form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EhloName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
}

fn parse_literal(text: &str) -> Result<Host, AddressError> {
    let untagged = text.strip_prefix('[').and_then(|inside| inside.strip_suffix(']'));
    match untagged.and_then(|address| address.parse::<Ipv6Addr>().ok()) {
        Some(address) => Ok(Host::Literal(IpAddr::V6(address))),
        None => Host::parse(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_clients_really_send_are_taken() {
        for text in [
            "laptop.example",
            "localhost",
            "MY_PC",
            "a-.b",
            "[127.0.0.1]",
            "[IPv6:::1]",
            "xn--bcher-kva.example",
        ] {
            assert_eq!(EhloName::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(EhloName::parse("[::1]").unwrap().as_str(), "[IPv6:::1]");
        assert_eq!(EhloName::parse("[ipv6:0::1]").unwrap().as_str(), "[IPv6:::1]");
    }

    #[test]
    fn what_could_break_a_header_is_refused() {
        for text in [
            "",
            ".",
            "a.",
            "a..b",
            "a b",
            "a\rX: y",
            "a\r\nX: y",
            "a\0",
            "(comment",
            "a(b)",
            "a;b",
            "a,b",
            "a<b",
            "a\"b",
            "%s%n",
            "bücher",
            "\u{202e}a",
            "[a]",
            "[127.0.0.1",
            "[127.0.0.1](x)",
            "[::1%eth0]",
            "[IPv6:]",
            "a@b",
            "a:b",
            "a/b",
            "a=b",
            "'a'",
        ] {
            assert!(EhloName::parse(text).is_err(), "{text:?}");
        }
        assert!(EhloName::parse(&"a".repeat(10 * 1024)).is_err());
    }

    proptest! {
        #[test]
        fn whatever_passes_is_plain(text in "\\PC{0,30}|[\\[\\]IPv6:.a-f0-9_-]{0,20}") {
            if let Ok(name) = EhloName::parse(&text) {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
                prop_assert!(name.as_str().chars().all(plain));
                prop_assert_eq!(EhloName::parse(name.as_str()), Ok(name.clone()));
            }
        }
    }
}
