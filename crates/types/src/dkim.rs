//! DKIM: what a domain's keys are called, and what they sign with (RFC 6376, RFC 8463).

use std::fmt;
use std::str::FromStr;

use crate::{AddressError, Domain};

/// The most octets of the name of a record in the DNS, as it is written (RFC 1035 section 2.3.4).
const MAX_NAME: usize = 253;

/// What a DKIM key signs with.
///
/// Exhaustive: whoever makes or uses a key has to deal with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DkimAlgorithm {
    /// rsa-sha256, which every verifier knows (RFC 8301 section 3.1).
    Rsa,
    /// ed25519-sha256, whose keys are short (RFC 8463).
    Ed25519,
}

impl DkimAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 2] = [Self::Rsa, Self::Ed25519];

    /// The kind of key, as `k=` of its record has it (RFC 6376 section 3.6.1, RFC 8463 section 4).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The algorithm of this kind of key.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// Which of a domain's keys: `selector = sub-domain *( "." sub-domain )` (RFC 6376 section 3.1), in lower case. Underscores are taken, too: the DNS allows
/// them (RFC 2181 section 11), many selectors have them, and verifiers look for whatever name they are told.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DkimSelector(Box<str>);

impl DkimSelector {
    /// The selector as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DkimSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for DkimSelector {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Ok(Self(Domain::parse(text)?.normal().into()))
    }
}

/// The name of a key: its domain, as A-labels in lower case, and its selector.
///
/// Displayed as the name of its record: `selector._domainkey.domain` (RFC 6376 section 3.6.2.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DkimKeyName {
    domain: Box<str>,
    selector: DkimSelector,
}

impl DkimKeyName {
    /// The name of the key that this domain has under this selector.
    ///
    /// # Errors
    /// [`AddressError::DomainTooLong`] if no record can have that name.
    pub fn new(domain: &Domain, selector: DkimSelector) -> Result<Self, AddressError> {
        let name = Self { domain: domain.normal().into(), selector };
        if name.to_string().len() > MAX_NAME { Err(AddressError::DomainTooLong) } else { Ok(name) }
    }

    /// The domain that signs, as A-labels in lower case: `d=` of its signatures.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The selector: `s=` of its signatures.
    #[must_use]
    pub fn selector(&self) -> &DkimSelector {
        &self.selector
    }
}

impl fmt::Display for DkimKeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}._domainkey.{}", self.selector, self.domain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_the_name_of_its_record() {
        let domain = Domain::parse("Bücher.example").unwrap();
        let name = DkimKeyName::new(&domain, "Mail.2026".parse().unwrap()).unwrap();
        assert_eq!(name.to_string(), "mail.2026._domainkey.xn--bcher-kva.example");
        assert_eq!((name.domain(), name.selector().as_str()), ("xn--bcher-kva.example", "mail.2026"));
        assert_eq!("My_key".parse::<DkimSelector>().unwrap().as_str(), "my_key");
    }

    #[test]
    fn what_no_record_can_be_called_is_no_name() {
        for selector in ["", "a b", "a..b", "a;b", "-a", &"x".repeat(64)] {
            assert!(selector.parse::<DkimSelector>().is_err(), "{selector:?}");
        }
        let domain = Domain::parse(&format!("{0}.{0}.{0}", "a".repeat(63))).unwrap();
        for (octets, fits) in [(50, true), (51, false)] {
            let selector = "s".repeat(octets).parse().unwrap();
            assert_eq!(DkimKeyName::new(&domain, selector).is_ok(), fits, "{octets}");
        }
    }

    #[test]
    fn an_algorithm_is_known_by_its_name() {
        for algorithm in DkimAlgorithm::ALL {
            assert_eq!(DkimAlgorithm::from_name(algorithm.name()), Some(algorithm));
        }
        assert_eq!(DkimAlgorithm::from_name("rsa-sha1"), None);
    }
}
