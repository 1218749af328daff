//! The connections that are kept to the mail hosts of many destinations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use types::Host;

use super::pool::{Idle, KEPT};
use crate::resolve::Demand;

/// The connections that are kept to the hosts of each destination: they are used again for the same destination, to the same host, and only
/// if it has proved what is demanded.
#[derive(Debug, Default)]
pub(super) struct Pools(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    /// By the normal form of the destination, as lanes are.
    of_destinations: HashMap<String, HashMap<(Host, Demand), Arc<Idle>>>,
    /// When those that are empty were forgotten last.
    swept: Option<Instant>,
}

impl Pools {
    /// Those to this host.
    pub(super) fn to(&self, destination: &Host, host: &Host, demand: &Demand) -> Arc<Idle> {
        let mut all = self.all();
        all.forget_what_is_empty();
        let of_this = all.of_destinations.entry(destination.normal()).or_default();
        of_this.entry((host.clone(), demand.clone())).or_default().clone()
    }

    /// Whether there is any to this host.
    pub(super) fn have(&self, destination: &Host, host: &Host) -> bool {
        let all = self.all();
        let of_this = all.of_destinations.get(&destination.normal());
        of_this.is_some_and(|idle| idle.iter().any(|((to, _), idle)| to == host && !idle.is_empty()))
    }

    /// Closes every connection with QUIT.
    pub(super) async fn close(&self) {
        let all = std::mem::take(&mut self.all().of_destinations);
        for idle in all.into_values().flat_map(HashMap::into_values) {
            idle.close().await;
        }
    }

    fn all(&self) -> MutexGuard<'_, All> {
        // Nothing done under this lock can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl All {
    /// The DNS may name new hosts for ever. Not at every message, since that would be to look at all connections each time.
    fn forget_what_is_empty(&mut self) {
        if self.swept.is_some_and(|swept| swept.elapsed() < KEPT) {
            return;
        }
        self.swept = Some(Instant::now());
        self.of_destinations.retain(|_, of_this| {
            of_this.retain(|_, idle| Arc::strong_count(idle) > 1 || !idle.is_empty());
            !of_this.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_empty_is_forgotten_after_a_while_unless_somebody_has_it() {
        let (pools, [used, other]) =
            (Pools::default(), ["a.example", "b.example"].map(|name| Host::parse(name).unwrap()));
        let in_use = pools.to(&used, &used, &Demand::Opportunistic);
        let number = || pools.all().of_destinations.len();
        drop(pools.to(&other, &other, &Demand::Opportunistic));
        assert_eq!(number(), 2);
        advance(KEPT).await;
        assert!(Arc::ptr_eq(&in_use, &pools.to(&used, &used, &Demand::Opportunistic)));
        assert_eq!(number(), 1);
    }
}
