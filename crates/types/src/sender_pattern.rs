//! Whom an account may send as: one address, everybody at a domain, or anybody.

use std::fmt;
use std::str::FromStr;

use crate::{AddressError, Domain, Mailbox};

/// A sender that an account may use: `sales@example.org`; `*@example.org` for every address of that very domain; `*` for
/// any at all.
///
/// Exhaustive: who may send in whose name must not be decided by an arm for everything else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SenderPattern {
    /// This address, without regard to how it is written.
    Address(Mailbox),
    /// Every address at this domain, and none below it, but for those that [fit no wildcard](Mailbox::fits_wildcard).
    Domain(Domain),
    /// Any address, also in quotes and at a literal: for list managers and redirects.
    Any,
}

impl SenderPattern {
    /// Whether this mailbox is meant.
    #[must_use]
    pub fn matches(&self, mailbox: &Mailbox) -> bool {
        match self {
            Self::Address(address) => address.normal() == mailbox.normal(),
            Self::Domain(domain) => {
                mailbox.fits_wildcard()
                    && mailbox.host().domain().is_some_and(|other| other.normal() == domain.normal())
            }
            Self::Any => true,
        }
    }

    /// The one form in which equal patterns are equal.
    #[must_use]
    pub fn normal(&self) -> String {
        match self {
            Self::Address(address) => address.normal(),
            Self::Domain(domain) => format!("*@{}", domain.normal()),
            Self::Any => "*".to_owned(),
        }
    }
}

impl fmt::Display for SenderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Domain(domain) => write!(f, "*@{domain}"),
            Self::Any => f.write_str("*"),
        }
    }
}

impl FromStr for SenderPattern {
    type Err = AddressError;

    /// # Errors
    /// Those of [`Mailbox::parse`] and [`Domain::parse`].
    fn from_str(text: &str) -> Result<Self, AddressError> {
        match text.strip_prefix("*@") {
            _ if text == "*" => Ok(Self::Any),
            Some(domain) => Domain::parse(domain).map(Self::Domain),
            None => Mailbox::parse(text).map(Self::Address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, mailbox: &str) -> bool {
        pattern.parse::<SenderPattern>().unwrap().matches(&Mailbox::parse(mailbox).unwrap())
    }

    #[test]
    fn an_address_is_itself_however_it_is_written() {
        for same in ["sales@example.org", "SALES@Example.ORG", "\"sales\"@example.org"] {
            assert!(matches("Sales@example.org", same), "{same}");
        }
        for other in ["sales@example.com", "sales+x@example.org", "sale@example.org"] {
            assert!(!matches("sales@example.org", other), "{other}");
        }
    }

    #[test]
    fn a_domain_is_everybody_there_and_nobody_below() {
        assert!(matches("*@example.org", "anybody@EXAMPLE.org"));
        assert!(matches("*@bücher.example", "a@xn--bcher-kva.example"));
        assert!(matches("*@example.org", "host.@example.org"));
        for other in [
            "a@sub.example.org",
            "a@example.com",
            "a@[192.0.2.1]",
            "\"<ceo@bank.test>\"@example.org",
            "=?utf-8?q?a@example.org",
        ] {
            assert!(!matches("*@example.org", other), "{other}");
        }
    }

    #[test]
    fn a_star_is_anybody() {
        for any in ["a@example.org", "a@[192.0.2.1]", "\"<ceo@bank.test>\"@example.org", "=?x@example.org"] {
            assert!(matches("*", any), "{any}");
        }
        let any: SenderPattern = "*".parse().unwrap();
        assert_eq!((any.to_string(), any.normal()), ("*".to_owned(), "*".to_owned()));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in [
            "",
            "**",
            "* ",
            "*@",
            "*@@example.org",
            "@example.org",
            "*@*",
            "*@[192.0.2.1]",
            "a*b",
            "*@example.org, a@example.org",
        ] {
            assert!(text.parse::<SenderPattern>().is_err(), "{text:?}");
        }
    }
}
