//! What a session has to know of the connection below it.

use sasl::{ChannelBindings, Nonces};
use types::{TlsFacts, UtcTime};

use crate::introduction::Xclient;

/// The connection of a session, from its beginning or since TLS began.
#[derive(Debug)]
#[non_exhaustive]
pub struct Channel {
    /// TLS, if the connection is protected.
    pub tls: Option<TlsFacts>,
    /// What a login can be bound to.
    pub bindings: ChannelBindings,
    /// The client has shown a certificate.
    pub client_certificate: bool,
    /// The client may hand in mail without logging in.
    pub login_is_optional: bool,
    /// Whether the client is a proxy that may say who its client is.
    pub xclient: Xclient,
    /// The time of day when the session begins, for the latest time that FUTURERELEASE offers; without it that is not offered.
    pub now: Option<UtcTime>,
    /// What challenges are made from.
    pub nonces: Nonces,
}

impl Channel {
    /// A connection without TLS, of a client that has to log in.
    pub fn in_clear(nonces: Nonces) -> Self {
        Self {
            tls: None,
            bindings: ChannelBindings::default(),
            client_certificate: false,
            login_is_optional: false,
            xclient: Xclient::Refused,
            now: None,
            nonces,
        }
    }
}
