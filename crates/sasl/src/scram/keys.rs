//! The keys that SCRAM makes of a password, and what is proved with them (RFC 5802 section 3).
//!
//! ```text
//! SaltedPassword  := PBKDF2(HMAC, password, salt, i)       ClientProof     := ClientKey XOR ClientSignature
//! ClientKey       := HMAC(SaltedPassword, "Client Key")    ClientSignature := HMAC(StoredKey, AuthMessage)
//! StoredKey       := H(ClientKey)                          ServerSignature := HMAC(ServerKey, AuthMessage)
//! ServerKey       := HMAC(SaltedPassword, "Server Key")
//! ```

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use types::Secret;
use zeroize::Zeroizing;

use super::parameters::ScramParameters;
use super::prepare;
use crate::base64;

type Key = Zeroizing<[u8; 32]>;

/// What is kept of a password for SCRAM (RFC 5802 section 3). Who has it can't log in with it, but can try passwords on
/// it, and can pass for the server: keep it sealed.
#[derive(Clone)]
pub struct ScramKeys {
    stored_key: Key,
    server_key: Key,
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
        ClientKeys::derive(password, parameters).map(|keys| keys.kept)
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

    /// Our signature of the AuthMessage, if the client's proof of it is right. In constant time.
    pub(super) fn check(&self, auth_message: &[u8], proof: &[u8; 32]) -> Option<ServerSignature> {
        let mut client_key = mac(&self.stored_key, auth_message);
        client_key.iter_mut().zip(proof).for_each(|(octet, proved)| *octet ^= proved);
        let right = hash(&client_key).ct_eq(self.stored_key.as_slice());
        let signature = ServerSignature(*mac(&self.server_key, auth_message));
        bool::from(right).then_some(signature)
    }
}

/// The keys of a client, who knows the password.
pub(super) struct ClientKeys {
    client_key: Key,
    kept: ScramKeys,
}

impl ClientKeys {
    pub(super) fn derive(password: &Secret, parameters: &ScramParameters) -> Option<Self> {
        let prepared = prepare::password(password)?;
        let mut salted = Key::default();
        let ScramParameters { salt, iterations } = parameters;
        pbkdf2::pbkdf2_hmac::<Sha256>(prepared.as_bytes(), salt, *iterations, salted.as_mut());
        let client_key = mac(&salted, b"Client Key");
        let kept = ScramKeys { stored_key: hash(&client_key), server_key: mac(&salted, b"Server Key") };
        Some(Self { client_key, kept })
    }

    /// ClientProof, and the ServerSignature that has to answer it.
    pub(super) fn prove(&self, auth_message: &[u8]) -> ([u8; 32], ServerSignature) {
        let mut proof = *mac(&self.kept.stored_key, auth_message);
        proof.iter_mut().zip(self.client_key.iter()).for_each(|(octet, key)| *octet ^= key);
        (proof, ServerSignature(*mac(&self.kept.server_key, auth_message)))
    }
}

#[expect(clippy::expect_used, reason = "RFC 2104 section 3: HMAC takes a key of any length")]
fn mac(key: &Key, message: &[u8]) -> Key {
    let mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("a key of any length");
    Zeroizing::new(mac.chain_update(message).finalize().into_bytes().into())
}

fn hash(key: &Key) -> Key {
    Zeroizing::new(Sha256::digest(key.as_slice()).into())
}

/// The server's proof that it knows the keys (RFC 5802 section 3).
#[derive(Clone, PartialEq, Eq)]
pub struct ServerSignature([u8; 32]);

/// Passwords could be tried on it.
impl std::fmt::Debug for ServerSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerSignature(…)")
    }
}

impl ServerSignature {
    /// The server-final-message, `v=` and the signature, as it is sent.
    #[must_use]
    pub fn in_base64(&self) -> String {
        base64::encode(self.message())
    }

    /// The server-final-message.
    pub(super) fn message(&self) -> String {
        format!("v={}", base64::encode(self.0))
    }
}
