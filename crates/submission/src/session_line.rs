//! The one line that is logged of every session, when it ends.

use bytes::BytesMut;
use esmtp::{Ending, Login};
use tokio::time::Instant;
use types::{EhloName, SessionFacts};

use crate::session_end::SessionEnd;
use crate::tls::failure::Told;

/// Why a session ended, as the log has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The protocol came to its end: QUIT, or a reply that closes. The last reply says which.
    Closed,
    /// The client closed the connection, or the network did.
    Disconnected,
    /// The client took too long for its request.
    TimedOut,
    /// The client did not read our replies.
    Stalled,
    /// A proxy that has to say whom it speaks for did not, or said it wrongly.
    NoHeader,
    /// There were too many connections of the client that a proxy spoke for.
    TurnedAway,
    /// There was no agreement on TLS.
    HandshakeFailed,
    /// The server stopped, and the session with it; or it would not end, and was left behind.
    Shutdown,
    /// It had not logged in, and there was no other place for somebody else.
    Displaced,
    /// The credential that opened it, or its account, is no longer good.
    Revoked,
    /// A fault of ours; what it was stands in the log before.
    Panicked,
}

impl Reason {
    fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Disconnected => "disconnected",
            Self::TimedOut => "timed-out",
            Self::Stalled => "stalled",
            Self::NoHeader => "no-proxy-header",
            Self::TurnedAway => "turned-away",
            Self::HandshakeFailed => "handshake-failed",
            Self::Shutdown => "shutdown",
            Self::Displaced => "displaced",
            Self::Revoked => "revoked",
            Self::Panicked => "panicked",
        }
    }
}

impl From<Ending> for Reason {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::TimedOut => Self::TimedOut,
            Ending::Shutdown => Self::Shutdown,
            Ending::Displaced => Self::Displaced,
            Ending::Revoked => Self::Revoked,
        }
    }
}

/// What is counted of a session, for its line.
pub(crate) struct SessionLine {
    /// Messages that were accepted.
    pub(crate) messages: u32,
    /// Octets that the client sent, TLS taken off.
    pub(crate) octets: u64,
    pub(crate) reason: Reason,
    /// Why there was no agreement on TLS.
    pub(crate) tls_failure: Option<Told>,
    last_reply: String,
    opened: Instant,
}

impl SessionLine {
    pub(crate) fn new(opened: Instant) -> Self {
        Self {
            messages: 0,
            octets: 0,
            // What becomes of a session that never comes to say how it ended: the runtime drops it.
            reason: Reason::Shutdown,
            tls_failure: None,
            last_reply: String::new(),
            opened,
        }
    }

    /// Keeps the last of the replies in `output`.
    pub(crate) fn keep_last_reply(&mut self, output: &BytesMut) {
        if let Some(line) = output.trim_ascii_end().rsplit(|octet| *octet == b'\n').next() {
            self.last_reply = String::from_utf8_lossy(line).into_owned();
        }
    }

    /// How the session ended, now that it has.
    pub(crate) fn end<'a, U>(&self, login: Option<&'a Login<U>>) -> SessionEnd<'a> {
        SessionEnd {
            identity: login.map(Login::identity),
            mechanism: login.map(Login::means),
            messages: self.messages,
            octets: self.octets,
            duration: self.opened.elapsed(),
            reason: self.reason.as_str(),
        }
    }

    /// Writes the line of a session of which `facts` are known.
    pub(crate) fn log(&self, facts: &SessionFacts, end: &SessionEnd<'_>) {
        tracing::info!(
            event = "session",
            session = %facts.id,
            peer = %facts.peer,
            local = %facts.local,
            proxy = facts.proxy.map(tracing::field::display),
            ehlo = facts.ehlo.as_ref().map(EhloName::as_str),
            tls = facts.tls.map(|tls| tls.version),
            cipher = facts.tls.map(|tls| tls.cipher),
            certificate = facts.client_certificate.as_ref().map(|certificate| display(certificate.fingerprint)),
            user = end.identity,
            mechanism = end.mechanism,
            messages = end.messages,
            octets = end.octets,
            duration_ms = u64::try_from(end.duration.as_millis()).unwrap_or(u64::MAX),
            reason = end.reason,
            tls.failure = self.tls_failure.map(|told| told.failure),
            tls.offered = self.tls_failure.and_then(|told| told.offered),
            reply = self.last_reply,
            "session ended"
        );
    }
}
