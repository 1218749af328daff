//! SCRAM-SHA-256 (RFC 5802, RFC 7677): each side proves to the other that it knows the password.
//!
//! ```text
//! client-first   n,,n=user,r=CLIENT                   who it is, and its nonce
//! server-first   r=CLIENT+SERVER,s=SALT,i=COUNT       both nonces, and what to make keys of the password with
//! client-final   c=BINDING,r=CLIENT+SERVER,p=PROOF    becomes the claim
//! server-final   v=SIGNATURE                          from whoever judged the claim to be true
//! ```
//! With SCRAM-SHA-256-PLUS, BINDING is something of the TLS connection, so that nobody can stand between the two.

mod attributes;
mod first;
mod last;
mod prepare;
mod exchange;
mod keys;

use std::fmt;

use types::Secret;

pub(crate) use self::exchange::{AwaitingFinal, AwaitingFirst, AwaitingSalt};
pub use self::keys::{ScramKeys, ServerSignature};

use crate::Mechanism;

/// What SCRAM makes keys of a password with.
///
/// Exhaustive: RFC 5802 has no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramParameters {
    /// At least one octet.
    pub salt: Vec<u8>,
    /// RFC 7677 section 4: at least 4096.
    pub iterations: u32,
}

/// Why a claim can't be true, though it is well-formed: it was not made for this exchange over this connection. Somebody may
/// stand between the client and us. It is a failed login, not an error of syntax.
///
/// Exhaustive: each is something else to whoever reads the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScramFlaw {
    /// The client binds its proof to another connection, or in a way that this connection does not have; or it does not
    /// bind it although its mechanism does, or the other way round.
    #[error("the proof is not bound to this connection")]
    NotBound,
    /// The client believes that SCRAM-SHA-256-PLUS is not offered, but it is (RFC 5802 section 6).
    #[error("the client was not shown that channel binding is offered")]
    Downgraded,
    /// The nonce is not this exchange's: the message is from another.
    #[error("the nonce is another exchange's")]
    OtherNonce,
}

/// A claim to be `username`, because the client can prove to know the password.
pub struct ScramClaim {
    mechanism: Mechanism,
    authzid: Option<String>,
    username: String,
    parameters: ScramParameters,
    /// RFC 5802 section 3: AuthMessage.
    auth_message: String,
    proof: [u8; 32],
    flaw: Option<ScramFlaw>,
}

/// Without the messages and the proof: who has those can try passwords on them.
impl fmt::Debug for ScramClaim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mechanism, authzid, username, flaw, .. } = self;
        f.debug_struct("ScramClaim")
            .field("mechanism", mechanism)
            .field("authzid", authzid)
            .field("username", username)
            .field("flaw", flaw)
            .finish_non_exhaustive()
    }
}

impl ScramClaim {
    /// The mechanism by which it was made: with channel binding or without.
    #[must_use]
    pub fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// In whose name the client wants to act, if it said so; see [`Claim::authzid`](crate::Claim::authzid).
    #[must_use]
    pub fn authzid(&self) -> Option<&str> {
        self.authzid.as_deref()
    }

    /// The authentication identity, as in [`PasswordClaim::username`](crate::PasswordClaim::username).
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// What the client was told to make its keys with.
    #[must_use]
    pub fn parameters(&self) -> &ScramParameters {
        &self.parameters
    }

    /// Why no keys will do. A judge need not ask; it may, to say so in its log.
    #[must_use]
    pub fn flaw(&self) -> Option<ScramFlaw> {
        self.flaw
    }

    /// The server's own proof, if these are the keys of the client's password. In constant time.
    #[must_use]
    pub fn proves(&self, keys: &ScramKeys) -> Option<ServerSignature> {
        let signature = keys.check(self.auth_message.as_bytes(), &self.proof);
        signature.filter(|_| self.flaw.is_none())
    }

    /// The same for a judge that knows the password; it makes the keys first.
    #[must_use]
    pub fn validates(&self, password: &Secret) -> Option<ServerSignature> {
        self.proves(&ScramKeys::derive(password, &self.parameters)?)
    }
}
