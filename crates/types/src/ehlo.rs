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
    /// Reads a name that has to be one: what a proxy says of its client.
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

    /// What is plain of the argument of EHLO or HELO, whatever that is: the name; the literal of an address, without
    /// its zone; else the letters, digits, hyphens, underscores and dots there are, or `unknown`.
    ///
    /// Devices send the name that somebody once gave them, in any script, with blanks and apostrophes, or none at all, and
    /// their owners can't change it. The name decides nothing, so they are let in.
    #[must_use]
    pub fn plain_of(argument: &[u8]) -> Self {
        let text: String = argument.iter().copied().filter(u8::is_ascii_graphic).map(char::from).collect();
        let literal = address(&text).map(|address| Host::Literal(address).to_string());
        let plain = literal.or_else(|| plain_name(&text)).unwrap_or_else(|| "unknown".to_owned());
        Self(plain.into_boxed_str())
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
    !label.is_empty() && label.chars().all(is_plain)
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_')
}

/// An address in brackets or without, with its tag or without, and perhaps with the zone that it has on the client.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_end_matches('.');
    let inside = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let untagged = match inside.split_at_checked("IPv6:".len()) {
        Some((tag, address)) if tag.eq_ignore_ascii_case("IPv6:") => address,
        Some(_) | None => inside,
    };
    untagged.split('%').next()?.parse().ok()
}

/// The plain characters of each label, if there is a letter or a digit among them.
fn plain_name(text: &str) -> Option<String> {
    let labels = text.split('.').map(|label| label.chars().filter(|c| is_plain(*c)).collect::<String>());
    let mut name = labels.filter(|label| !label.is_empty()).collect::<Vec<_>>().join(".");
    name.truncate(MAX_DOMAIN);
    let name = name.trim_end_matches('.');
    name.contains(|c: char| c.is_ascii_alphanumeric()).then(|| name.to_owned())
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

    #[test]
    fn of_whatever_a_client_says_what_is_plain_is_kept() {
        let fits = "a".repeat(254);
        let long = format!("{fits}.{}", "b".repeat(400));
        for (said, kept) in [
            ("laptop.example".as_bytes(), "laptop.example"),
            (b"laptop.example.", "laptop.example"),
            (b"MY_PC", "MY_PC"),
            ("Дмитрий-ПК".as_bytes(), "unknown"),
            ("Büro-PC".as_bytes(), "Bro-PC"),
            (b"M\xdcLLER-PC", "MLLER-PC"),
            (b"Bob's Mac Book", "BobsMacBook"),
            (b"", "unknown"),
            (b"   ", "unknown"),
            (b"...", "unknown"),
            (b"..a..b..", "a.b"),
            (b"192.0.2.1", "[192.0.2.1]"),
            (b"[192.0.2.1]", "[192.0.2.1]"),
            (b"192.0.2.1.", "[192.0.2.1]"),
            (b"fe80::1c2d:3e4f:5a6b:7c8d", "[IPv6:fe80::1c2d:3e4f:5a6b:7c8d]"),
            (b"fe80::1%eth0", "[IPv6:fe80::1]"),
            (b"[IPv6:fe80::1%25eth0]", "[IPv6:fe80::1]"),
            (b"[ipv6:2001:DB8::1]", "[IPv6:2001:db8::1]"),
            (b"[2001:db8::1]", "[IPv6:2001:db8::1]"),
            (b"[laptop]", "laptop"),
            (b"[127.0.0.1", "127.0.0.1"),
            (b"(comment) a;b\"c<d>", "commentabcd"),
            (b"%s%n", "sn"),
            (b"a\r\nX: y\0", "aXy"),
            (long.as_bytes(), &fits),
        ] {
            assert_eq!(EhloName::plain_of(said).as_str(), kept, "{}", said.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_of_any_octets_is_a_name(said in proptest::collection::vec(any::<u8>(), 0..600)) {
            let name = EhloName::plain_of(&said);
            prop_assert_eq!(EhloName::parse(name.as_str()), Ok(name.clone()));
        }

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
