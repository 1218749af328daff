//! What is known about a session and a message from outside of the protocol.

use std::net::SocketAddr;

use crate::{EhloName, SessionId};

/// What a TLS handshake agreed on, in the names people use: `TLSv1.3`, `TLS_AES_128_GCM_SHA256`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsFacts {
    /// The version of the protocol.
    pub version: &'static str,
    /// The cipher suite.
    pub cipher: &'static str,
}

/// What is known about the client of a session. Only `peer` is beyond the client's will.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionFacts {
    /// The connection, in logs and audit.
    pub id: SessionId,
    /// Where the client connected from.
    pub peer: SocketAddr,
    /// Where it connected to.
    pub local: SocketAddr,
    /// TLS, if the session is protected.
    pub tls: Option<TlsFacts>,
    /// What the client calls itself, since TLS began.
    pub ehlo: Option<EhloName>,
    /// EHLO and not HELO: the client speaks the extended protocol.
    pub extended: bool,
}

/// What the octets of a message may be: the BODY parameter of MAIL. RFC 6152.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BodyType {
    /// ASCII alone, `BODY=7BIT`, which is also what silence means.
    #[default]
    SevenBit,
    /// Any octet but NUL, `BODY=8BITMIME`.
    EightBit,
}
