//! What is counted of connections and sessions, for whoever watches the server.

use std::net::SocketAddr;

use types::{Buckets, Counter, ListenTls, Tally};

use crate::session_end::SessionEnd;

/// Counts since the server began.
#[derive(Debug)]
#[non_exhaustive]
pub struct Counters {
    /// Connections that were taken, by listener: its address, and how TLS begins there ([`ListenTls::name`]).
    pub connections: Tally<(SocketAddr, &'static str)>,
    /// Connections that there was no place for.
    pub refused: Counter,
    /// Connections that have ended, by [`SessionEnd::reason`].
    pub sessions: Tally<&'static str>,
    /// How long these lasted.
    pub session_time: Buckets,
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self {
            connections: Tally::default(),
            refused: Counter::default(),
            sessions: Tally::default(),
            session_time: Buckets::of_time(),
        }
    }

    pub(crate) fn taken(&self, listener: SocketAddr, tls: ListenTls) {
        self.connections.count((listener, tls.name()));
    }

    pub(crate) fn ended(&self, end: &SessionEnd<'_>) {
        self.sessions.count(end.reason);
        self.session_time.add_time(end.duration);
    }
}
