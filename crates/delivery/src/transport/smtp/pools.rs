//! The connections that are kept to the mail hosts of many destinations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use types::Host;

use super::pool::Idle;
use crate::resolve::Demand;

/// The connections that are kept to the hosts of each destination.
#[derive(Debug, Default)]
pub(super) struct Pools(Mutex<HashMap<Key, Arc<Idle>>>);

/// For what a connection may be used again: for the same destination, to the same host, and only if it has proved what is demanded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    destination: Host,
    host: Host,
    demand: Demand,
}

impl Pools {
    /// The connections that are kept to this host. Those of other hosts are forgotten where there are none left: the DNS may name new hosts
    /// for ever.
    pub(super) fn to(&self, destination: &Host, host: &Host, demand: &Demand) -> Arc<Idle> {
        let key = Key { destination: destination.clone(), host: host.clone(), demand: demand.clone() };
        let mut all = self.all();
        all.retain(|_, idle| Arc::strong_count(idle) > 1 || !idle.is_empty());
        all.entry(key).or_default().clone()
    }

    /// Whether there is any to this host.
    pub(super) fn have(&self, destination: &Host, host: &Host) -> bool {
        self.all()
            .iter()
            .any(|(key, idle)| key.destination == *destination && key.host == *host && !idle.is_empty())
    }

    /// Closes every connection with QUIT.
    pub(super) async fn close(&self) {
        let all = std::mem::take(&mut *self.all());
        for idle in all.into_values() {
            idle.close().await;
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Key, Arc<Idle>>> {
        // Nothing done under this lock can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
