//! What a client claims, before anybody has judged it.

use types::Secret;

use crate::Mechanism;

/// What an exchange ends in.
#[derive(Debug)]
pub enum Claim {
    /// A name and a password.
    Password(PasswordClaim),
}

impl Claim {
    /// The mechanism by which it was made.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        match self {
            Self::Password(claim) => claim.mechanism,
        }
    }

    /// Whom the client says it is, unproved.
    #[must_use]
    pub fn username(&self) -> &str {
        match self {
            Self::Password(claim) => &claim.username,
        }
    }
}

/// A claim to be `username`, because the client knows `password`.
#[derive(Debug)]
pub struct PasswordClaim {
    /// The mechanism by which it was made.
    pub mechanism: Mechanism,
    /// In whose name the client wants to act, if it said so. A judge must refuse any but the user itself
    /// (RFC 4616 section 2) and must never take it for the identity.
    pub authzid: Option<String>,
    /// The authentication identity: UTF-8 without control characters, 1 to [`MAX_USERNAME`](crate::MAX_USERNAME)
    /// octets, not normalised.
    pub username: String,
    /// 1 to [`MAX_PASSWORD`](crate::MAX_PASSWORD) octets, none of them NUL.
    pub password: Secret,
}
