//! What a client claims, before anybody has judged it.

use types::{Mechanism, Secret};

use crate::cram_md5::CramMd5Claim;
use crate::scram::ScramClaim;

/// What an exchange ends in.
#[derive(Debug)]
#[non_exhaustive]
pub enum Claim {
    /// A name and a password.
    Password(PasswordClaim),
    /// A name and a keyed digest of our challenge.
    CramMd5(CramMd5Claim),
    /// A name and a proof of the password.
    Scram(ScramClaim),
    /// An access token.
    Token(TokenClaim),
    /// A certificate, which is in [`SessionFacts::client_certificate`](types::SessionFacts::client_certificate).
    External(ExternalClaim),
}

impl Claim {
    /// The mechanism by which it was made.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        match self {
            Self::Password(claim) => claim.mechanism,
            Self::CramMd5(_) => Mechanism::CramMd5,
            Self::Scram(claim) => claim.mechanism(),
            Self::Token(claim) => claim.mechanism,
            Self::External(_) => Mechanism::External,
        }
    }

    /// Whom the client says it is, unproved. A token or a certificate may be left to speak for itself.
    #[must_use]
    pub fn username(&self) -> Option<&str> {
        match self {
            Self::Password(claim) => Some(&claim.username),
            Self::CramMd5(claim) => Some(claim.username()),
            Self::Scram(claim) => Some(claim.username()),
            Self::Token(claim) => claim.username.as_deref(),
            Self::External(claim) => claim.authzid.as_deref(),
        }
    }

    /// In whose name the client wants to act, if it said so apart from who it is. A judge must refuse any but the user
    /// itself (RFC 4616 section 2) and must never take it for the identity.
    #[must_use]
    pub fn authzid(&self) -> Option<&str> {
        match self {
            Self::Password(claim) => claim.authzid.as_deref(),
            Self::Scram(claim) => claim.authzid(),
            Self::External(claim) => claim.authzid.as_deref(),
            Self::CramMd5(_) | Self::Token(_) => None,
        }
    }
}

/// A claim to be `username`, because the client knows `password`.
#[derive(Debug)]
#[non_exhaustive]
pub struct PasswordClaim {
    /// The mechanism by which it was made: PLAIN or LOGIN.
    pub mechanism: Mechanism,
    /// In whose name the client wants to act, if it said so; see [`Claim::authzid`].
    pub authzid: Option<String>,
    /// The authentication identity: UTF-8 without control characters, 1 to [`MAX_USERNAME`](crate::MAX_USERNAME)
    /// octets, not normalised.
    pub username: String,
    /// 1 to [`MAX_PASSWORD`](crate::MAX_PASSWORD) octets, none of them NUL.
    pub password: Secret,
}

impl PasswordClaim {
    /// A claim as an exchange makes one, without [`authzid`](Self::authzid), to try a judge with.
    pub fn new(mechanism: Mechanism, username: impl Into<String>, password: Secret) -> Self {
        Self { mechanism, authzid: None, username: username.into(), password }
    }
}

/// A claim to be whom an access token (RFC 6749 section 1.4) was issued for.
#[derive(Debug)]
#[non_exhaustive]
pub struct TokenClaim {
    /// The mechanism by which it was made: XOAUTH2 or OAUTHBEARER.
    pub mechanism: Mechanism,
    /// Whom the client says it is. The token decides; a judge must refuse a name that is not the token's. OAUTHBEARER
    /// may leave it out.
    pub username: Option<String>,
    /// The token: a `b64token` (RFC 6750 section 2.1), at most [`MAX_TOKEN`](crate::MAX_TOKEN) octets.
    pub token: Secret,
}

impl TokenClaim {
    /// A claim as an exchange makes one, to try a judge with.
    #[must_use]
    pub const fn new(mechanism: Mechanism, username: Option<String>, token: Secret) -> Self {
        Self { mechanism, username, token }
    }
}

/// A claim to be whom the client's certificate stands for. Whose it is and whether it is within its dates is for the judge
/// to say: TLS has proved no more than that the client has its private key.
#[derive(Debug)]
#[non_exhaustive]
pub struct ExternalClaim {
    /// In whose name the client wants to act; absent, it is the certificate's owner's. A judge must refuse any other name.
    pub authzid: Option<String>,
}

impl ExternalClaim {
    /// A claim as an exchange makes one, to try a judge with.
    #[must_use]
    pub const fn new(authzid: Option<String>) -> Self {
        Self { authzid }
    }
}
