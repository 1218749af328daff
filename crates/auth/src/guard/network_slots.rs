//! Turns at the hashing pool: a network has a few of its places at a time, so that one alone, repeating the same wrong
//! password for ever, can't keep the others out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Turns that a network has at a time. Forty people who log in at once from behind one address wait for each other a
/// moment; a pool of two cores has more places than eight networks can fill.
const AT_A_TIME: usize = 8;

/// How long one may wait for a turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Below this many networks nobody looks for those that have gone.
const FEW: usize = 1024;

/// The networks from which passwords are being checked.
#[derive(Default)]
pub(crate) struct Turns(Mutex<Networks>);

#[derive(Default)]
struct Networks {
    places: HashMap<IpNet, Weak<Semaphore>>,
    /// With how many it is worth looking.
    many: usize,
}

/// One turn; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _permit: OwnedSemaphorePermit,
    /// Without anybody who has a turn, or waits for one, the network is forgotten.
    _places: Arc<Semaphore>,
}

impl Turns {
    /// The next turn of this network; `None` if there was none for long.
    pub(crate) async fn next(&self, network: IpNet) -> Option<Turn> {
        let places = self.places(network);
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&places).acquire_owned()).await;
        Some(Turn { _permit: permit.ok()?.ok()?, _places: places })
    }

    fn places(&self, network: IpNet) -> Arc<Semaphore> {
        let mut networks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        networks.forget_gone();
        let places = networks.places.entry(network).or_default();
        places.upgrade().unwrap_or_else(|| {
            let fresh = Arc::new(Semaphore::new(AT_A_TIME));
            *places = Arc::downgrade(&fresh);
            fresh
        })
    }
}

impl Networks {
    /// Looks through all of them only when there are twice as many as the last look has left.
    fn forget_gone(&mut self) {
        if self.places.len() < self.many.max(FEW) {
            return;
        }
        self.places.retain(|_, places| places.strong_count() > 0);
        self.many = self.places.len().saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(number: u32) -> IpNet {
        std::net::IpAddr::V4(number.into()).into()
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_that_has_its_turns_waits_and_others_do_not() {
        let turns = Turns::default();
        let mut held = Vec::new();
        for _ in 0..AT_A_TIME {
            held.push(turns.next(network(1)).await.unwrap());
        }
        assert!(turns.next(network(1)).await.is_none());
        assert!(turns.next(network(2)).await.is_some());
        held.pop();
        assert!(turns.next(network(1)).await.is_some());
    }

    #[tokio::test]
    async fn networks_that_have_gone_are_forgotten() {
        let turns = Turns::default();
        for number in 0..10_000 {
            assert!(turns.next(network(number)).await.is_some());
        }
        assert!(turns.0.lock().unwrap().places.len() <= FEW);
    }
}
