//! A mailbox: a local part at a host.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use crate::local_part::LocalPart;
use crate::{AddressError, Domain};

/// Where a mailbox lives.
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

    /// Takes the mailbox that stands before the first `>` outside of quotes; the rest begins with that.
    pub(crate) fn take_before_bracket(input: &str) -> Result<(Self, &str), AddressError> {
        let (local_part, rest) = LocalPart::take(input)?;
        let rest = rest.strip_prefix('@').ok_or(AddressError::NoDomain)?;
        let end = rest.find('>').ok_or(AddressError::Path)?;
        let (host, rest) = rest.split_at_checked(end).ok_or(AddressError::Path)?;
        Ok((Self { local_part, host: Host::parse(host)? }, rest))
    }

    /// The local part as it is meant: without quotes and backslashes.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.local_part.as_str()
    }

    /// Whether the local part can only be written in quotes.
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
