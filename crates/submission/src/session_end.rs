//! How a session ended, for an embedder who wants to be told.

use std::time::Duration;

/// How a session ended: what the line `session ended` of the log has, beside the facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionEnd<'a> {
    /// Who had logged in, as the [`Authenticated`](crate::Authenticated) of the verdict names them.
    pub identity: Option<&'a str>,
    /// By which mechanism, or `XCLIENT`.
    pub mechanism: Option<&'static str>,
    /// Messages that were accepted.
    pub messages: u32,
    /// Octets that the client sent, TLS taken off.
    pub octets: u64,
    /// Since the connection was taken.
    pub duration: Duration,
    /// Why it ended: `closed` is QUIT or a reply that closes, `disconnected` that the client left without either. `docs/log-events.md`
    /// has them all.
    pub reason: &'static str,
}
