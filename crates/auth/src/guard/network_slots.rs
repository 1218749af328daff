//! Slots of networks: only so many attempts from one network are judged at a time, so that one alone, repeating the same wrong
//! password for ever, can't keep the others out of the hashing pool.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Attempts of one network that are judged at a time. Forty people who log in at once from behind one address wait for each other a
/// moment; a pool of two cores has more places than eight networks can fill.
const AT_A_TIME: usize = 8;

/// How long one may wait for a slot.
const PATIENCE: Duration = Duration::from_secs(5);

/// Below this many networks, those without attempts are not looked for.
const FEW: usize = 1024;

/// The networks from which passwords are being checked.
#[derive(Default)]
pub(crate) struct NetworkSlots(Mutex<Networks>);

#[derive(Default)]
struct Networks {
    slots: HashMap<IpNet, Weak<Semaphore>>,
    /// How many networks there must be before those without attempts are looked for again.
    many: usize,
}

/// One slot of a network; free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
    /// Without anybody who has a slot, or waits for one, the network is forgotten.
    _slots: Arc<Semaphore>,
}

impl NetworkSlots {
    /// The next slot of this network that is free; `None` if none was for five seconds.
    pub(crate) async fn next(&self, network: IpNet) -> Option<Slot> {
        let slots = self.of(network);
        let permit = tokio::time::timeout(PATIENCE, Arc::clone(&slots).acquire_owned()).await;
        Some(Slot { _permit: permit.ok()?.ok()?, _slots: slots })
    }

    fn of(&self, network: IpNet) -> Arc<Semaphore> {
        let mut networks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        networks.forget_gone();
        let slots = networks.slots.entry(network).or_default();
        slots.upgrade().unwrap_or_else(|| {
            let fresh = Arc::new(Semaphore::new(AT_A_TIME));
            *slots = Arc::downgrade(&fresh);
            fresh
        })
    }
}

impl Networks {
    /// Forgets networks without attempts, once there are twice as many as the last time left.
    fn forget_gone(&mut self) {
        if self.slots.len() < self.many.max(FEW) {
            return;
        }
        self.slots.retain(|_, slots| slots.strong_count() > 0);
        self.many = self.slots.len().saturating_mul(2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(number: u32) -> IpNet {
        std::net::IpAddr::V4(number.into()).into()
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_whose_slots_are_taken_waits_and_others_do_not() {
        let slots = NetworkSlots::default();
        let mut held = Vec::new();
        for _ in 0..AT_A_TIME {
            held.push(slots.next(network(1)).await.unwrap());
        }
        assert!(slots.next(network(1)).await.is_none());
        assert!(slots.next(network(2)).await.is_some());
        held.pop();
        assert!(slots.next(network(1)).await.is_some());
    }

    #[tokio::test]
    async fn networks_that_have_gone_are_forgotten() {
        let slots = NetworkSlots::default();
        for number in 0..10_000 {
            assert!(slots.next(network(number)).await.is_some());
        }
        assert!(slots.0.lock().unwrap().slots.len() <= FEW);
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_with_attempts_is_not_forgotten_however_many_others_come() {
        let slots = NetworkSlots::default();
        let mut held = Vec::new();
        for _ in 0..AT_A_TIME {
            held.push(slots.next(network(0)).await.unwrap());
        }
        for number in 1..10_000 {
            assert!(slots.next(network(number)).await.is_some());
        }
        assert!(slots.next(network(0)).await.is_none());
    }
}
