//! Logging in at the next host: AUTH PLAIN or LOGIN, or SCRAM-SHA-256 for who asks for it, from the client's side.
//!
//! Whether credentials may be sent over this connection at all is decided before, by whoever calls `log_in`.

mod scram;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{BufMut, BytesMut};
use types::Secret;

use self::scram::Scram;
use super::broken::Broken;
use super::credentials::Credentials;
use super::mechanism::Mechanism;
use super::reply::Reply;

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
