//! Logging in at the next host: AUTH PLAIN or LOGIN, or SCRAM-SHA-256 for who asks for it, from the client's side.
//!
//! Whether credentials may be sent over this connection at all is decided before, by whoever calls `log_in`.

mod scram;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{BufMut, BytesMut};
use sasl::{Nonce, Nonces};
use types::Secret;

use self::scram::Scram;
use super::broken::Broken;
use super::capability::Capabilities;
use super::reply::Reply;

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
    nonce: Nonce,
    exporter: Option<Secret>,
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

/// What both sides may speak, the better the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Mechanism {
    /// LOGIN: the name and the password, each after a challenge.
    Login,
    /// PLAIN (RFC 4616).
    Plain,
    /// SCRAM-SHA-256 (RFC 7677).
    ScramSha256,
    /// The same, bound to the TLS connection.
    ScramSha256Plus,
}

impl Mechanism {
    pub(super) fn from_name(name: &str) -> Option<Mechanism> {
        let named = |mechanism: &Mechanism| name.eq_ignore_ascii_case(mechanism.name());
        [Mechanism::ScramSha256Plus, Mechanism::ScramSha256, Mechanism::Plain, Mechanism::Login]
            .into_iter()
            .find(named)
    }

    /// Whether the host never sees the password.
    #[must_use]
    pub fn is_scram(self) -> bool {
        matches!(self, Mechanism::ScramSha256 | Mechanism::ScramSha256Plus)
    }

    /// Its name in AUTH.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
            Mechanism::ScramSha256 => "SCRAM-SHA-256",
            Mechanism::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
        }
    }
}

/// An AUTH under way.
#[derive(Debug)]
pub(super) enum Login {
    /// What is still to be said, the last first.
    Shown(Vec<Secret>),
    Scram(Scram),
}

impl Login {
    /// Writes the AUTH command (RFC 4954 section 4). An initial response saves a round trip, where the mechanism has one.
    pub(super) fn start(
        mechanism: Mechanism,
        credentials: &Credentials,
        out: &mut BytesMut,
    ) -> Option<Login> {
        let (initial, login) = match mechanism {
            Mechanism::Plain => {
                let response = plain(credentials);
                // Kept for a server that overlooks the initial response, and asks.
                (Some(response.clone()), Login::Shown(vec![response]))
            }
            Mechanism::Login => {
                let name = Secret::new(BASE64_STANDARD.encode(&credentials.username));
                let password = Secret::new(BASE64_STANDARD.encode(credentials.password.declassify()));
                (None, Login::Shown(vec![password, name]))
            }
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => {
                let scram = Scram::new(credentials, mechanism == Mechanism::ScramSha256Plus)?;
                (scram.first().map(Secret::from), Login::Scram(scram))
            }
        };
        out.put_slice(b"AUTH ");
        out.put_slice(mechanism.name().as_bytes());
        if let Some(response) = initial {
            out.put_u8(b' ');
            out.put_slice(response.declassify());
        }
        out.put_slice(b"\r\n");
        Some(login)
    }

    /// Answers a 334; `None` if everything has been said already.
    pub(super) fn respond(self, challenge: &Reply, out: &mut BytesMut) -> Result<Option<Login>, Broken> {
        let (response, login) = match self {
            Login::Shown(mut responses) => match responses.pop() {
                Some(response) => (response, Login::Shown(responses)),
                None => return Ok(None),
            },
            Login::Scram(scram) => {
                let (response, scram) = scram.respond(challenge)?;
                (Secret::from(response), Login::Scram(scram))
            }
        };
        out.put_slice(response.declassify());
        out.put_slice(b"\r\n");
        Ok(Some(login))
    }

    /// Whether a 235 may end it: with SCRAM only once the host has proved that it knows the password.
    pub(super) fn may_end(&self) -> bool {
        matches!(self, Login::Shown(_) | Login::Scram(Scram::Proved))
    }
}

/// `[authzid] NUL authcid NUL passwd`, in base64 (RFC 4616 section 2).
fn plain(credentials: &Credentials) -> Secret {
    let parts = [b"".as_slice(), credentials.username.as_bytes(), credentials.password.declassify()];
    let message = Secret::new(parts.join(&0));
    Secret::new(BASE64_STANDARD.encode(message.declassify()))
}
