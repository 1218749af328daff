//! Logging in at the next host: AUTH PLAIN or LOGIN, from the client's side.
//!
//! Whether credentials may be sent over this connection at all is decided before, by whoever calls `log_in`.

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::{BufMut, BytesMut};
use types::Secret;

/// Who we are to the next host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credentials {
    /// The name, as the next host knows us.
    pub username: String,
    /// The password.
    pub password: Secret,
}

impl Credentials {
    /// A name and its password.
    pub fn new(username: impl Into<String>, password: Secret) -> Self {
        Self { username: username.into(), password }
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
}

impl Mechanism {
    pub(super) fn from_name(name: &str) -> Option<Mechanism> {
        let named = |mechanism: &Mechanism| name.eq_ignore_ascii_case(mechanism.name());
        [Mechanism::Plain, Mechanism::Login].into_iter().find(named)
    }

    /// Its name in AUTH.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Mechanism::Plain => "PLAIN",
            Mechanism::Login => "LOGIN",
        }
    }
}

/// An AUTH under way: what is still to be said, the last first.
#[derive(Debug)]
pub(super) struct Login {
    responses: Vec<Secret>,
}

impl Login {
    /// Writes the AUTH command (RFC 4954 section 4). PLAIN saves a round trip by its initial response.
    pub(super) fn start(mechanism: Mechanism, credentials: &Credentials, out: &mut BytesMut) -> Login {
        out.put_slice(b"AUTH ");
        out.put_slice(mechanism.name().as_bytes());
        match mechanism {
            Mechanism::Plain => {
                let response = plain(credentials);
                out.put_u8(b' ');
                out.put_slice(response.declassify());
                out.put_slice(b"\r\n");
                // Kept for a server that overlooks the initial response, and asks.
                Login { responses: vec![response] }
            }
            Mechanism::Login => {
                out.put_slice(b"\r\n");
                let name = Secret::new(BASE64_STANDARD.encode(&credentials.username));
                let password = Secret::new(BASE64_STANDARD.encode(credentials.password.declassify()));
                Login { responses: vec![password, name] }
            }
        }
    }

    /// Answers a 334; `false` if everything has been said already.
    pub(super) fn respond(&mut self, out: &mut BytesMut) -> bool {
        let Some(response) = self.responses.pop() else { return false };
        out.put_slice(response.declassify());
        out.put_slice(b"\r\n");
        true
    }
}

/// `[authzid] NUL authcid NUL passwd`, in base64 (RFC 4616 section 2).
fn plain(credentials: &Credentials) -> Secret {
    let parts = [b"".as_slice(), credentials.username.as_bytes(), credentials.password.declassify()];
    let message = Secret::new(parts.join(&0));
    Secret::new(BASE64_STANDARD.encode(message.declassify()))
}
