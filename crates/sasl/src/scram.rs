//! SCRAM-SHA-256 (RFC 5802, RFC 7677): each side proves to the other that it knows the password.

use types::Secret;
use zeroize::Zeroizing;

use crate::{Mechanism, base64};

/// What SCRAM makes keys of a password with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScramParameters {
    /// At least one octet.
    pub salt: Vec<u8>,
    /// RFC 7677 section 4: at least 4096.
    pub iterations: u32,
}

/// What is kept of a password for SCRAM (RFC 5802 section 3). Who has it can't log in with it, but can try passwords on
/// it, and can pass for the server: keep it sealed.
#[derive(Clone)]
pub struct ScramKeys {
    stored_key: Zeroizing<[u8; 32]>,
    server_key: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScramKeys(…)")
    }
}

impl ScramKeys {
    /// StoredKey and ServerKey, as they were kept.
    #[must_use]
    pub fn new(stored_key: [u8; 32], server_key: [u8; 32]) -> Self {
        Self { stored_key: Zeroizing::new(stored_key), server_key: Zeroizing::new(server_key) }
    }

    /// Makes them of a password; that takes as long as the iterations take. `None` for a password that SASLprep
    /// (RFC 4013) does not allow.
    #[must_use]
    pub fn derive(password: &Secret, parameters: &ScramParameters) -> Option<Self> {
        let _ = (password, parameters);
        None
    }

    /// To be kept.
    #[must_use]
    pub fn stored_key(&self) -> &[u8; 32] {
        &self.stored_key
    }

    /// To be kept.
    #[must_use]
    pub fn server_key(&self) -> &[u8; 32] {
        &self.server_key
    }
}

/// The server's proof that it knows the keys (RFC 5802 section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSignature([u8; 32]);

impl ServerSignature {
    /// The server-final-message, `v=` and the signature, as it is sent.
    #[must_use]
    pub fn in_base64(&self) -> String {
        base64::encode(format!("v={}", base64::encode(self.0)))
    }
}

/// A claim to be `username`, because the client can prove to know the password.
#[derive(Debug)]
pub struct ScramClaim {
    mechanism: Mechanism,
    authzid: Option<String>,
    username: String,
    parameters: ScramParameters,
    /// RFC 5802 section 3: AuthMessage.
    auth_message: String,
    proof: [u8; 32],
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

    /// The server's own proof, if these are the keys of the client's password. In constant time.
    #[must_use]
    pub fn proves(&self, keys: &ScramKeys) -> Option<ServerSignature> {
        let _ = (keys, &self.auth_message, &self.proof);
        None
    }

    /// The same for a judge that knows the password; it makes the keys first.
    #[must_use]
    pub fn validates(&self, password: &Secret) -> Option<ServerSignature> {
        self.proves(&ScramKeys::derive(password, &self.parameters)?)
    }
}
