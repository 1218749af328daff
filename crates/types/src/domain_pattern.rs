//! Which domains something is for.

use crate::{AddressError, Domain};

/// One domain, or all below one; in the form of [`Domain::normal`].
///
/// Exhaustive: whoever looks a domain up by its pattern has to know every form.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DomainPattern {
    /// This domain.
    Exactly(String),
    /// Those below this one, at any depth, as `*.example.org`.
    Below(String),
}

impl DomainPattern {
    /// Reads `example.org` or `*.example.org`.
    ///
    /// # Errors
    /// When what stands there is no domain.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (domain, pattern): (&str, fn(String) -> Self) = match text.strip_prefix("*.") {
            Some(domain) => (domain, Self::Below),
            None => (text, Self::Exactly),
        };
        Domain::parse(domain).map(|domain| pattern(domain.normal()))
    }

    /// Whether the pattern is for this domain, in the form of [`Domain::normal`].
    #[must_use]
    pub fn matches(&self, domain: &str) -> bool {
        match self {
            Self::Exactly(this) => domain == this,
            Self::Below(this) => domain.strip_suffix(this.as_str()).is_some_and(|rest| rest.ends_with('.')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_for_what_is_below_and_not_for_the_domain_itself() {
        let [this, below] = ["Example.ORG", "*.example.org"].map(|text| DomainPattern::parse(text).unwrap());
        for (domain, is_this, is_below) in [
            ("example.org", true, false),
            ("a.example.org", false, true),
            ("a.b.example.org", false, true),
            ("anexample.org", false, false),
            ("example.com", false, false),
        ] {
            assert_eq!((this.matches(domain), below.matches(domain)), (is_this, is_below), "{domain}");
        }
    }

    #[test]
    fn what_is_no_domain_is_no_pattern() {
        for wrong in ["", "*", "*.", "a b", "*.*.example.org"] {
            assert!(DomainPattern::parse(wrong).is_err(), "{wrong}");
        }
    }
}
