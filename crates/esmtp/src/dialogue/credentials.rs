//! Who we are to the next host, and which way of logging in that lets us choose.

use sasl::{Nonce, Nonces};
use types::Secret;

use super::capability::Capabilities;
use super::mechanism::Mechanism;

/// Who we are to the next host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// The name, as the next host knows us.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// What SCRAM needs besides; without it the password is shown.
    pub(super) scram: Option<ScramSetup>,
}

/// What a login by SCRAM needs of its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScramSetup {
    pub(super) nonce: Nonce,
    pub(super) exporter: Option<Secret>,
}

impl Credentials {
    /// A name and its password.
    pub fn new(username: impl Into<String>, password: Secret) -> Self {
        Self { username: username.into(), password, scram: None }
    }

    /// The same for one login, by SCRAM if the host offers it (RFC 5802): then the host never sees the password, and has to prove that
    /// it knows it. The seed is random, and another one for each login; `exporter` is what only the ends of the TLS connection know (RFC 9266).
    #[must_use]
    pub fn by_scram(self, seed: [u8; 32], exporter: Option<Secret>) -> Self {
        Self { scram: Some(ScramSetup { nonce: Nonces::new(seed).draw(), exporter }), ..self }
    }

    /// How to log in at a host that offers this, the best way first.
    pub(super) fn choose(&self, peer: &Capabilities) -> Option<Mechanism> {
        match &self.scram {
            Some(ScramSetup { exporter: Some(_), .. }) if peer.scram_plus => Some(Mechanism::ScramSha256Plus),
            Some(_) if peer.scram => Some(Mechanism::ScramSha256),
            Some(_) | None => peer.mechanism,
        }
    }
}
