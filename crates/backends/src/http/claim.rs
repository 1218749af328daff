//! What a client claims, as the program is asked about it.

use sasl::{CramMd5Claim, ScramClaim};
use types::Secret;

/// What is claimed.
#[derive(Clone, Copy, Debug)]
pub struct HttpClaim<'a> {
    /// The mechanism, by its name.
    pub mechanism: &'a str,
    /// Whom the client says it is, as typed.
    pub username: Option<&'a str>,
    /// In whose name it wants to act, if it said so apart from who it is.
    pub authzid: Option<&'a str>,
    /// Why that should be believed.
    pub evidence: Evidence<'a>,
}

/// Why a claim should be believed.
#[derive(Clone, Copy, Debug)]
pub enum Evidence<'a> {
    /// A password.
    Password(&'a Secret),
    /// What the client made of a challenge.
    CramMd5(&'a CramMd5Claim),
    /// A proof that it knows a password.
    Scram(&'a ScramClaim),
    /// An access token.
    Token(&'a Secret),
    /// The certificate that it has shown to TLS.
    Certificate,
}
