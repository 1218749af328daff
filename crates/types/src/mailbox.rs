//! A mailbox: a local part at a host.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::local_part::LocalPart;
use crate::{AddressError, Domain};

/// Where a mailbox lives.
///
/// Exhaustive: the grammar has no third form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// A domain name.
    Domain(Domain),
    /// An address literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]`. RFC 5321 section 4.1.3.
    Literal(IpAddr),
}

impl Host {
    /// Reads a domain or an address literal.
    ///
    /// # Errors
    /// [`AddressError::Literal`], or those of [`Domain::parse`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix('[') {
            Some(inside) => parse_literal(inside).map(Self::Literal),
            None => Domain::parse(text).map(Self::Domain),
        }
    }

    /// The domain, unless it is a literal.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Self::Domain(domain) => Some(domain),
            Self::Literal(_) => None,
        }
    }

    /// The one form in which equal hosts are equal.
    #[must_use]
    pub fn normal(&self) -> String {
        match self {
            Self::Domain(domain) => domain.normal(),
            Self::Literal(_) => self.to_string().to_ascii_lowercase(),
        }
    }

    /// Whether the host as given can travel without SMTPUTF8.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.domain().is_none_or(Domain::is_ascii)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => domain.fmt(f),
            Self::Literal(IpAddr::V4(address)) => write!(f, "[{address}]"),
            Self::Literal(IpAddr::V6(address)) => write!(f, "[IPv6:{address}]"),
        }
    }
}

/// `address-literal` without its opening bracket. Of the tagged literals only `IPv6:` is registered.
fn parse_literal(inside: &str) -> Result<IpAddr, AddressError> {
    let literal = inside.strip_suffix(']').ok_or(AddressError::Literal)?;
    let address = match literal.split_at_checked(5) {
        Some((tag, v6)) if tag.eq_ignore_ascii_case("IPv6:") => Ipv6Addr::from_str(v6).map(IpAddr::V6),
        _ => Ipv4Addr::from_str(literal).map(IpAddr::V4),
    };
    address.map_err(|_| AddressError::Literal)
}

/// `Mailbox = Local-part "@" ( Domain / address-literal )`, RFC 5321 section 4.1.2, with UTF-8 of RFC 6531.
///
/// Displayed in the form of RFC 5321, quoted only where it must be. `==` tells whether two are written alike;
/// whether they are the same identity is told by [`Mailbox::normal`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mailbox {
    local_part: LocalPart,
    host: Host,
}

impl Mailbox {
    /// Reads a whole mailbox, without angle brackets.
    ///
    /// # Errors
    /// [`AddressError`] says which part is wrong.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (local_part, rest) = LocalPart::take(text)?;
        let host = rest.strip_prefix('@').ok_or(AddressError::NoDomain)?;
        Ok(Self { local_part, host: Host::parse(host)? })
    }

    /// Takes the mailbox whose host goes up to the first of these characters, or up to the end; the rest begins with it.
    pub(crate) fn take<'a>(input: &'a str, ends: &[char]) -> Result<(Self, &'a str), AddressError> {
        Self::take_with(input, ends, Host::parse)
    }

    /// The same for a client, which may write the root's dot behind a domain.
    pub(crate) fn take_rooted<'a>(input: &'a str, ends: &[char]) -> Result<(Self, &'a str), AddressError> {
        Self::take_with(input, ends, |host| Host::parse(host.strip_suffix('.').unwrap_or(host)))
    }

    fn take_with<'a>(
        input: &'a str,
        ends: &[char],
        read_host: impl FnOnce(&str) -> Result<Host, AddressError>,
    ) -> Result<(Self, &'a str), AddressError> {
        let (local_part, rest) = LocalPart::take(input)?;
        let rest = rest.strip_prefix('@').ok_or(AddressError::NoDomain)?;
        let end = rest.find(ends).unwrap_or(rest.len());
        let (host, rest) = rest.split_at_checked(end).ok_or(AddressError::Domain)?;
        Ok((Self { local_part, host: read_host(host)? }, rest))
    }

    /// The local part as it is meant: without quotes and backslashes.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.local_part.as_str()
    }

    /// Whether the local part can only be written in quotes. Dots alone need none, wherever they stand.
    #[must_use]
    pub fn is_quoted(&self) -> bool {
        !self.local_part.is_dot_string()
    }

    /// Where the mailbox lives.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Whether the mailbox can travel without SMTPUTF8.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.local_part().is_ascii() && self.host.is_ascii()
    }

    /// Whether a pattern such as `*@example.org` can mean this mailbox. A local part in quotes, or with `=?` in it, may
    /// be another address to a reader that loses its place; it is somebody's only if its owner is named in full.
    #[must_use]
    pub fn fits_wildcard(&self) -> bool {
        self.local_part.is_plain()
    }

    /// Whether this is the other mailbox with a tag in its local part: `alice+lists@example.org` of
    /// `alice@example.org` (subaddressing, RFC 5233). What no wildcard can mean has no tags.
    #[must_use]
    pub fn is_tagged(&self, other: &Self) -> bool {
        self.local_part.is_tagged(&other.local_part) && self.host.normal() == other.host.normal()
    }

    /// The one key by which identities are compared, everywhere: local part in NFC and lower case, quoted only
    /// where it must be, domain as A-labels in lower case.
    #[must_use]
    pub fn normal(&self) -> String {
        let mut key = self.local_part.normal();
        key.push('@');
        key.push_str(&self.host.normal());
        key
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part, self.host)
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mailboxes_of_rfc_5321_and_6531_are_shown_in_their_own_form() {
        for (text, shown) in [
            ("alice@example.org", "alice@example.org"),
            ("Alice@Example.ORG", "Alice@Example.ORG"),
            ("\"alice\"@example.org", "alice@example.org"),
            ("\"a b\"@example.org", "\"a b\"@example.org"),
            ("\"a@b\"@example.org", "\"a@b\"@example.org"),
            ("try..this.@example.org", "try..this.@example.org"),
            ("\".a\"@example.org", ".a@example.org"),
            ("a@[192.0.2.1]", "a@[192.0.2.1]"),
            ("a@[IPv6:2001:DB8::1]", "a@[IPv6:2001:db8::1]"),
            ("a@[ipv6:::1]", "a@[IPv6:::1]"),
            ("用户@例え.テスト", "用户@例え.テスト"),
        ] {
            assert_eq!(Mailbox::parse(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_mailbox_is_refused_with_the_part_that_is_wrong() {
        use AddressError::{Domain, Literal, LocalPart, NoDomain};
        for (text, error) in [
            ("", LocalPart),
            ("@example.org", LocalPart),
            ("alice", NoDomain),
            ("alice@", Domain),
            ("a b@example.org", NoDomain),
            ("a@b@example.org", Domain),
            ("a@example.org.", Domain),
            ("a@example.org ", Domain),
            (" a@example.org", LocalPart),
            ("<a@example.org>", LocalPart),
            ("a@example.org>", Domain),
            ("a\r\n@example.org", NoDomain),
            ("a@example.org\r\nRCPT TO:<b@c>", Domain),
            ("a\0@example.org", NoDomain),
            ("\"\"@example.org", LocalPart),
            ("a@[127.0.0.1", Literal),
            ("a@[127.0.0.1]x", Literal),
            ("a@[127.0.0.256]", Literal),
            ("a@[127.0.0.01]", Literal),
            ("a@[]", Literal),
            ("a@[::1]", Literal),
            ("a@[IPv6:127.0.0.1]", Literal),
            ("a@[IPv6:fe80::1%eth0]", Literal),
            ("a@[x:y]", Literal),
            (";sleep 5;@example.org", LocalPart),
            ("a@$(id)", Domain),
            ("alice(c)@example.org", NoDomain),
            ("alice@(c)example.org", Domain),
        ] {
            assert_eq!(Mailbox::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn one_identity_has_one_key_however_it_is_written() {
        for text in [
            "user@example.org",
            "USER@example.org",
            "User@EXAMPLE.org",
            "\"user\"@example.org",
            "\"us\\er\"@example.org",
        ] {
            assert_eq!(Mailbox::parse(text).unwrap().normal(), "user@example.org");
        }
        for text in ["é@bücher.example", "E\u{301}@XN--BCHER-KVA.example", "\"É\"@Bücher.example"] {
            assert_eq!(Mailbox::parse(text).unwrap().normal(), "é@xn--bcher-kva.example");
        }
        assert_eq!(Mailbox::parse("a@[IPv6:2001:DB8:0::1]").unwrap().normal(), "a@[ipv6:2001:db8::1]");
    }

    #[test]
    fn what_only_looks_like_an_identity_has_another_key_or_none() {
        let victim = Mailbox::parse("user@example.org").unwrap().normal();
        for text in [
            "\u{ff55}ser@example.org",
            "us\u{200d}er@example.org",
            "user@example.org.",
            "user@example\u{3002}org",
            "user@xn--example-.org",
            "\"user@example.org\"@example.net",
            "\" user\"@example.org",
            "user+x@example.org",
            "\u{443}ser@example.org",
        ] {
            assert!(
                Mailbox::parse(text).is_ok_and(|mailbox| mailbox.normal() != victim)
                    || Mailbox::parse(text).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn a_tag_stands_behind_the_very_name() {
        let tagged =
            |text: &str, of: &str| Mailbox::parse(text).unwrap().is_tagged(&Mailbox::parse(of).unwrap());
        for (text, of) in [
            ("user+x@example.org", "user@example.org"),
            ("USER+X@EXAMPLE.ORG", "User@example.org"),
            ("\"user+x\"@example.org", "user@example.org"),
            ("user+a+b@example.org", "user@example.org"),
            ("user+a+b@example.org", "user+a@example.org"),
            ("JOSE\u{301}+x@BÜCHER.example", "josé@xn--bcher-kva.example"),
        ] {
            assert!(tagged(text, of), "{text} {of}");
        }
        for (text, of) in [
            ("user@example.org", "user@example.org"),
            ("user+@example.org", "user@example.org"),
            ("user-x@example.org", "user@example.org"),
            ("users+x@example.org", "user@example.org"),
            ("use+r@example.org", "user@example.org"),
            ("user+x@example.com", "user@example.org"),
            ("user+x@sub.example.org", "user@example.org"),
            ("\"user+x y\"@example.org", "user@example.org"),
            ("\"user+<bob@example.org>\"@example.org", "user@example.org"),
            ("\"a b+x\"@example.org", "\"a b\"@example.org"),
            ("user\u{ff0b}x@example.org", "user@example.org"),
            ("user+=?x@example.org", "user@example.org"),
            ("user=?+x@example.org", "user=?@example.org"),
        ] {
            assert!(!tagged(text, of), "{text} {of}");
        }
    }

    #[test]
    fn what_may_be_read_as_something_else_fits_no_wildcard() {
        for text in ["a@example.org", "host.@example.org", "\"a..b\"@example.org", "é@example.org"] {
            assert!(Mailbox::parse(text).unwrap().fits_wildcard(), "{text}");
        }
        for text in [
            "\"<ceo@bank.test>\"@example.org",
            "\"a b\"@example.org",
            "=?utf-8?q?a@example.org",
            "ceo\u{ff20}bank@example.org",
        ] {
            assert!(!Mailbox::parse(text).unwrap().fits_wildcard(), "{text}");
        }
    }

    #[test]
    fn parts_are_told_apart() {
        let mailbox = Mailbox::parse("\"a b\"@Example.org").unwrap();
        assert_eq!((mailbox.local_part(), mailbox.is_quoted(), mailbox.is_ascii()), ("a b", true, true));
        assert_eq!(mailbox.host().domain().map(Domain::as_str), Some("Example.org"));
        assert!(!Mailbox::parse("é@example.org").unwrap().is_ascii());
        assert!(!Mailbox::parse("e@éxample.org").unwrap().is_ascii());
        assert!(Mailbox::parse("e@[::1]").is_err() && Mailbox::parse("e@[IPv6:::1]").unwrap().is_ascii());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_displayed_reads_the_same(
            text in "\\PC{0,12}@\\PC{0,12}|\"([ -~é]|\\\\[ -~]){1,20}\"@[A-Za-zéß.-]{1,9}|[a-z.]{1,9}@\\[[IPv6:.0-9a-f]{0,20}\\]"
        ) {
            if let Ok(mailbox) = Mailbox::parse(&text) {
                let again = Mailbox::parse(&mailbox.to_string()).unwrap();
                prop_assert_eq!(&again, &mailbox);
                prop_assert_eq!(again.normal(), mailbox.normal());
                let key = Mailbox::parse(&mailbox.normal());
                prop_assert!(key.is_err() || key.unwrap().normal() == mailbox.normal());
            }
        }
    }
}
