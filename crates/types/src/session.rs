//! What is known about a session and a message from outside of the protocol.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::{ClientCertificate, EhloName, SessionId};

/// What a TLS handshake agreed on, in the names people use: `TLSv1.3`, `TLS_AES_128_GCM_SHA256`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsFacts {
    /// The version of the protocol.
    pub version: &'static str,
    /// The cipher suite.
    pub cipher: &'static str,
}

impl TlsFacts {
    /// What was agreed on.
    #[must_use]
    pub const fn new(version: &'static str, cipher: &'static str) -> Self {
        Self { version, cipher }
    }
}

/// What is known about the client of a session. Only where it connects from is beyond the client's will.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionFacts {
    /// The connection, in logs and audit.
    pub id: SessionId,
    /// Where the client connected from: what a trusted proxy says of it, if there is one.
    pub peer: SocketAddr,
    /// Where it connected to, likewise.
    pub local: SocketAddr,
    /// Where the proxy that spoke for the client connected from.
    pub proxy: Option<SocketAddr>,
    /// The client's host name, if a proxy has looked it up.
    pub name: Option<EhloName>,
    /// TLS, if the session is protected.
    pub tls: Option<TlsFacts>,
    /// The certificate that the client showed, where it was asked for one.
    pub client_certificate: Option<Arc<ClientCertificate>>,
    /// What the client calls itself, since TLS began.
    pub ehlo: Option<EhloName>,
    /// EHLO and not HELO: the client speaks the extended protocol.
    pub extended: bool,
}

impl SessionFacts {
    /// What is known when a connection begins.
    #[must_use]
    pub fn new(id: SessionId, peer: SocketAddr, local: SocketAddr) -> Self {
        Self {
            id,
            peer,
            local,
            proxy: None,
            name: None,
            tls: None,
            client_certificate: None,
            ehlo: None,
            extended: false,
        }
    }
}

/// What the octets of a message may be: the BODY parameter of MAIL (RFC 6152, RFC 3030 section 3).
///
/// Exhaustive: whoever passes a message on has to deal with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum BodyType {
    /// ASCII alone, `BODY=7BIT`, which is also what silence means.
    #[default]
    SevenBit,
    /// Lines of any octets but NUL, `BODY=8BITMIME`.
    EightBit,
    /// Any octets, lines or not, `BODY=BINARYMIME`.
    Binary,
}
