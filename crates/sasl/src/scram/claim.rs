//! The claim that an exchange ends in, and how it is proved.

use std::fmt;

use types::{Mechanism, Secret};

use super::keys::{ScramKeys, ServerSignature};
use super::parameters::ScramParameters;

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
    pub(super) mechanism: Mechanism,
    pub(super) authzid: Option<String>,
    pub(super) username: String,
    pub(super) parameters: ScramParameters,
    /// RFC 5802 section 3: AuthMessage.
    pub(super) auth_message: String,
    pub(super) proof: [u8; 32],
    pub(super) flaw: Option<ScramFlaw>,
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
