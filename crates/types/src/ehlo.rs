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
