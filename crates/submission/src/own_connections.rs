//! Connections that the embedder makes itself, to see whether the server answers.

use std::collections::HashSet;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The addresses that they come from.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnConnections(Arc<Mutex<HashSet<SocketAddr>>>);

impl OwnConnections {
    /// Expects one from this address, as long as what is returned is kept.
    pub(crate) fn expect(&self, from: SocketAddr) -> OwnConnection {
        self.addresses().insert(from);
        OwnConnection { from, all: self.clone() }
    }

    /// Whether a connection from there is one.
    pub(crate) fn has(&self, from: SocketAddr) -> bool {
        self.addresses().contains(&from)
    }

    fn addresses(&self) -> MutexGuard<'_, HashSet<SocketAddr>> {
        // Nothing done under this lock can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that the embedder makes itself, until this is dropped: see [`Handle::expect_own`](crate::Handle::expect_own).
pub struct OwnConnection {
    from: SocketAddr,
    all: OwnConnections,
}

impl fmt::Debug for OwnConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnConnection").field("from", &self.from).finish_non_exhaustive()
    }
}

impl Drop for OwnConnection {
    fn drop(&mut self) {
        self.all.addresses().remove(&self.from);
    }
}
