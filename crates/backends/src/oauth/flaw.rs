//! What is wrong with a token, in the words of the audit trail. Clients learn none of it.

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFlaw {
    #[error("the token is too long")]
    TooLong,
    #[error("the token is malformed")]
    Malformed,
    #[error("the token is signed by an algorithm that is not allowed")]
    Algorithm,
    #[error("the token's header asks for what is not understood")]
    Critical,
    #[error("the token is of another type")]
    Type,
    #[error("the token's key is not one of the provider's")]
    UnknownKey,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token is of another issuer")]
    Issuer,
    #[error("the token is for somebody else")]
    Audience,
    #[error("the token is not one for access")]
    NotForAccess,
    #[error("the times of the token are missing or none")]
    Times,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token lacks a scope that is needed")]
    Scope,
    #[error("the token names no account")]
    NoAccount,
    #[error("the address in the token is not verified")]
    UnverifiedEmail,
    #[error("the provider says that the token is not active")]
    Inactive,
}

impl TokenFlaw {
    /// The reason as logs and scripts have it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            TokenFlaw::TooLong => "token-too-long",
            TokenFlaw::Malformed => "token-malformed",
            TokenFlaw::Algorithm => "token-algorithm",
            TokenFlaw::Critical => "token-critical-header",
            TokenFlaw::Type => "token-type",
            TokenFlaw::UnknownKey => "token-unknown-key",
            TokenFlaw::Signature => "token-signature",
            TokenFlaw::Issuer => "token-issuer",
            TokenFlaw::Audience => "token-audience",
            TokenFlaw::NotForAccess => "token-not-for-access",
            TokenFlaw::Times => "token-times",
            TokenFlaw::Expired => "token-expired",
            TokenFlaw::NotYetValid => "token-not-yet-valid",
            TokenFlaw::Scope => "token-scope",
            TokenFlaw::NoAccount => "token-no-account",
            TokenFlaw::UnverifiedEmail => "token-unverified-email",
            TokenFlaw::Inactive => "token-inactive",
        }
    }
}
