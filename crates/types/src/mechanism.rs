//! The mechanisms there are.

use std::fmt;

/// A SASL mechanism.
///
/// Exhaustive: whoever offers or judges one has to deal with each. Another one is a new version of these packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    /// A proof of the password that binds it to the TLS connection. RFC 5802, RFC 7677, RFC 9266.
    ScramSha256Plus,
    /// A proof of the password, without the password. RFC 5802, RFC 7677.
    ScramSha256,
    /// An OAuth 2 access token. RFC 7628.
    OAuthBearer,
    /// An OAuth 2 access token, as Google and Microsoft had it before there was an RFC.
    XOAuth2,
    /// The certificate that the client has shown to TLS. RFC 4422 appendix A.
    External,
    /// A keyed digest of a challenge. RFC 2195.
    CramMd5,
    /// Name and password in one message. RFC 4616.
    Plain,
    /// Name and password, asked for one after the other. Never standardised, but many clients know nothing else
    /// (draft-murchison-sasl-login).
    Login,
}

impl Mechanism {
    /// Every mechanism, the preferred ones first.
    pub const ALL: [Self; 8] = [
        Self::ScramSha256Plus,
        Self::ScramSha256,
        Self::OAuthBearer,
        Self::XOAuth2,
        Self::External,
        Self::CramMd5,
        Self::Plain,
        Self::Login,
    ];

    /// Those that prove a password, the preferred ones first. Who keeps a hash of it, and not itself, is left with the last two.
    pub const OF_PASSWORDS: [Self; 5] =
        [Self::ScramSha256Plus, Self::ScramSha256, Self::CramMd5, Self::Plain, Self::Login];

    /// The name, as in the AUTH command and its EHLO keyword.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::OAuthBearer => "OAUTHBEARER",
            Self::XOAuth2 => "XOAUTH2",
            Self::External => "EXTERNAL",
            Self::CramMd5 => "CRAM-MD5",
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
        for name in ["", "PLAI", "PLAIN ", "PLAINX", "DIGEST-MD5", "SCRAM-SHA-256-", "pla\u{131}n"] {
            assert_eq!(Mechanism::from_name(name), None);
        }
    }
}
