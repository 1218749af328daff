//! Connections kept for the next message, for a short while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::wire::Connection;

/// How long a connection is kept without work.
pub(super) const KEPT: Duration = Duration::from_secs(10);

/// The connections to one host that nobody uses now, the one used last on top.
#[derive(Debug, Default)]
pub(super) struct Idle {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Each with the time when it is to be closed, earliest first.
    connections: Vec<(Instant, Connection)>,
    sweeping: bool,
}

impl Idle {
    /// A connection on which the peer has said nothing since.
    pub(super) async fn take(&self) -> Option<Connection> {
        loop {
            let (_, mut connection) = self.kept().connections.pop()?;
            // A farewell, or the end of the stream: it is of no use.
            if matches!(connection.overhear().await, Ok(false)) {
                return Some(connection);
            }
        }
    }

    /// Whether there is any.
    pub(super) fn is_empty(&self) -> bool {
        self.kept().connections.is_empty()
    }

    /// Keeps a connection for a while.
    pub(super) fn keep(self: &Arc<Self>, connection: Connection) {
        let mut kept = self.kept();
        kept.connections.push((Instant::now() + KEPT, connection));
        if !std::mem::replace(&mut kept.sweeping, true) {
            tokio::spawn(self.clone().sweep());
        }
    }

    /// Closes each connection with QUIT when its time has come, until none is left.
    async fn sweep(self: Arc<Self>) {
        while let Some(earliest) = self.earliest() {
            sleep_until(earliest).await;
            for connection in self.expired(Instant::now()) {
                connection.quit().await;
            }
        }
    }

    fn earliest(&self) -> Option<Instant> {
        let mut kept = self.kept();
        let earliest = kept.connections.first().map(|(until, _)| *until);
        kept.sweeping = earliest.is_some();
        earliest
    }

    fn expired(&self, now: Instant) -> Vec<Connection> {
        let mut kept = self.kept();
        let expired = kept.connections.partition_point(|(until, _)| *until <= now);
        kept.connections.drain(..expired).map(|(_, connection)| connection).collect()
    }

    /// Closes every connection with QUIT.
    pub(super) async fn close(&self) {
        let connections = std::mem::take(&mut self.kept().connections);
        for (_, connection) in connections {
            connection.quit().await;
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing done under this lock can be left half done.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
