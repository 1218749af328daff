//! The mechanisms there are.

use std::fmt;

/// A SASL mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// Name and password in one message. RFC 4616.
    Plain,
    /// Name and password, asked for one after the other. Never standardised, but many clients know nothing else
    /// (draft-murchison-sasl-login).
    Login,
}

impl Mechanism {
    /// Every mechanism, the preferred ones first.
    pub const ALL: [Self; 2] = [Self::Plain, Self::Login];

    /// The name, as in the AUTH command and its EHLO keyword.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
        }
    }

    /// The mechanism of that name, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.name().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_case_and_only_whole() {
        for mechanism in Mechanism::ALL {
            assert_eq!(Mechanism::from_name(mechanism.name()), Some(mechanism));
            assert_eq!(Mechanism::from_name(&mechanism.name().to_lowercase()), Some(mechanism));
        }
        for name in ["", "PLAI", "PLAIN ", "PLAINX", "CRAM-MD5", "pla\u{131}n"] {
            assert_eq!(Mechanism::from_name(name), None);
        }
    }
}
