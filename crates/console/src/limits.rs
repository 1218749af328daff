//! How much the clients of one network may have: connections at a time, and pages in a minute. Tokens of the API have their own minute.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use store::network_of;
use tokio::time::Instant;

/// Connections at a time, in all and from one IPv4 address or IPv6 /64.
const CONNECTIONS: usize = 1_000;
const CONNECTIONS_OF_NETWORK: usize = 100;

/// Connections of all that are kept free for this machine: an operator's tunnel, and what reads the metrics.
const FOR_LOOPBACK: usize = 50;

/// Clients whose requests are counted at a time. Beyond it all begin anew: who can come from so many networks is not stopped by this.
const CLIENTS: usize = 10_000;

/// The connections there are.
#[derive(Debug, Default)]
pub(crate) struct Places(Mutex<HashMap<IpNet, usize>>);

/// A place that is taken until this is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Places>,
    network: IpNet,
}

impl Places {
    /// A place for a connection from this address, if there is one left. A trusted proxy has many clients, and is bounded by the number of
    /// all alone.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr, is_proxy: bool) -> Option<Place> {
        let network = network_of(address);
        let mut counts = self.counts();
        let (all, own) = (counts.values().sum::<usize>(), counts.get(&network).copied().unwrap_or_default());
        let is_ours = address.is_loopback() && !is_proxy;
        let most = if is_ours { CONNECTIONS } else { CONNECTIONS - FOR_LOOPBACK };
        let is_free = all < most && (is_proxy || own < CONNECTIONS_OF_NETWORK);
        is_free.then(|| {
            counts.insert(network, own + 1);
            Place { places: Arc::clone(self), network }
        })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpNet, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.places.counts();
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
        }
        counts.retain(|_, count| *count > 0);
    }
}

/// When each client will have used up nothing of its allowance any more. A client is whatever is counted by: a network, a token.
#[derive(Debug)]
pub(crate) struct Rate<Client> {
    /// What one request costs.
    each: Duration,
    free_at: Mutex<HashMap<Client, Instant>>,
}

/// What a minute allows can be used at once, and comes back evenly.
pub(crate) const PERIOD: Duration = Duration::from_secs(60);

impl<Client: Copy + Eq + Hash> Rate<Client> {
    /// So many a minute.
    pub(crate) fn of_minute(requests: u32) -> Self {
        Self { each: PERIOD / requests.max(1), free_at: Mutex::default() }
    }

    /// How many there are in a minute.
    pub(crate) fn per_minute(&self) -> u32 {
        self.left(PERIOD)
    }

    /// Counts a request of this client at this moment, and says how many it may make at once behind it.
    ///
    /// # Errors
    /// How long to wait, if there were too many.
    pub(crate) fn count(&self, client: Client, now: Instant) -> Result<u32, Duration> {
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        if free_at.len() >= CLIENTS && !free_at.contains_key(&client) {
            free_at.retain(|_, at| *at > now);
            if free_at.len() >= CLIENTS {
                free_at.clear();
            }
        }
        let begins = free_at.get(&client).copied().unwrap_or(now).max(now);
        let ends = begins + self.each;
        if ends > now + PERIOD {
            return Err(ends - (now + PERIOD));
        }
        free_at.insert(client, ends);
        Ok(self.left((now + PERIOD).saturating_duration_since(ends)))
    }

    /// How many requests this much of a minute is.
    fn left(&self, time: Duration) -> u32 {
        u32::try_from(time.as_nanos() / self.each.as_nanos().max(1)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_has_a_hundred_connections_and_gets_them_back() {
        let places = Arc::new(Places::default());
        let take = |from: &str| places.take(address(from), false);
        let held: Vec<_> = (0..100).filter_map(|_| take("192.0.2.1")).collect();
        assert_eq!(held.len(), 100);
        assert!(take("192.0.2.1").is_none() && take("192.0.2.2").is_some());
        assert!(places.take(address("192.0.2.1"), true).is_some(), "a proxy");
        drop(held);
        assert!(take("192.0.2.1").is_some());
        assert!(places.counts().is_empty(), "nothing is kept of those that are gone");
    }

    #[test]
    fn there_are_a_thousand_connections_in_all_some_of_which_are_for_this_machine() {
        let places = Arc::new(Places::default());
        let held: Vec<_> = (0..1_001u32).filter_map(|ip| places.take(IpAddr::V4(ip.into()), true)).collect();
        assert_eq!(held.len(), 950);
        let own: Vec<_> = (0..100).filter_map(|_| places.take(address("127.0.0.1"), false)).collect();
        assert_eq!(own.len(), 50);
    }

    #[test]
    fn what_a_minute_allows_comes_back_evenly() {
        let (rate, now) = (Rate::of_minute(120), Instant::now());
        let count = |from: &str, now| rate.count(network_of(address(from)), now);
        let taken = (0..200).filter(|_| count("2001:db8::1", now).is_ok()).count();
        assert_eq!((taken, rate.per_minute()), (120, 120));
        assert_eq!(count("2001:db8::2", now), Err(Duration::from_millis(500)), "the same /64");
        assert_eq!(count("2001:db8:0:1::1", now), Ok(119));
        assert_eq!(count("2001:db8::1", now + Duration::from_millis(500)), Ok(0));
        assert!(count("2001:db8::1", now + Duration::from_millis(500)).is_err());
    }

    #[test]
    fn no_more_clients_are_remembered_than_there_is_room_for() {
        let (rate, now) = (Rate::of_minute(10), Instant::now());
        for client in 0..25_000u32 {
            rate.count(client, now).unwrap();
        }
        assert!(rate.free_at.lock().unwrap().len() <= CLIENTS);
    }
}
