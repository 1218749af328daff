//! How many connections there may be, in all and from one network.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::limits::Limits;

/// The count of all connections, shared by all listeners.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    by_network: HashMap<Network, usize>,
}

/// What one client can be expected to have to itself: an IPv4 address, or an IPv6 /64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Network {
    V4(Ipv4Addr),
    V6([u16; 4]),
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

/// A place that is taken until this is dropped: one of all, and one of its network's once that is known.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    network: Option<Network>,
}

impl Admission {
    /// A place for a connection from `address`, if there is one left.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr, limits: &Limits) -> Option<Place> {
        let mut place = self.admit_proxy(limits)?;
        place.belongs_to(address, limits).then_some(place)
    }

    /// A place for a connection whose client a proxy has yet to name. A proxy has many clients, so it is not counted as
    /// one itself.
    pub(crate) fn admit_proxy(self: &Arc<Self>, limits: &Limits) -> Option<Place> {
        let mut counts = self.counts();
        if counts.total >= limits.connections {
            return None;
        }
        counts.total += 1;
        Some(Place { admission: Arc::clone(self), network: None })
    }

    /// The connections there are.
    pub(crate) fn total(&self) -> usize {
        self.counts().total
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing in here panics half-way, so the numbers are right even so.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn enter(&mut self, network: Network, limits: &Limits) -> bool {
        let here = self.by_network.entry(network).or_default();
        let is_room = *here < limits.connections_per_network;
        *here += usize::from(is_room);
        is_room
    }

    fn leave(&mut self, network: Network) {
        if let Entry::Occupied(mut entry) = self.by_network.entry(network) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

impl Place {
    /// Counts the connection as one from `address` from here on, if there is room for it.
    pub(crate) fn belongs_to(&mut self, address: IpAddr, limits: &Limits) -> bool {
        let network = Network::from(address);
        let mut counts = self.admission.counts();
        if self.network == Some(network) {
            return true;
        }
        let is_room = counts.enter(network, limits);
        if is_room && let Some(before) = self.network.replace(network) {
            counts.leave(before);
        }
        is_room
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.counts();
        counts.total -= 1;
        if let Some(network) = self.network {
            counts.leave(network);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(connections: usize, connections_per_network: usize) -> Limits {
        Limits { connections, connections_per_network, ..Limits::default() }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_is_free_again_when_it_is_left() {
        let admission = Arc::new(Admission::default());
        let place = admission.admit(ip("192.0.2.1"), &limits(9, 1)).unwrap();
        assert!(admission.admit(ip("::ffff:192.0.2.1"), &limits(9, 1)).is_none());
        assert!(admission.admit(ip("192.0.2.2"), &limits(9, 1)).is_some());
        drop(place);
        assert!(admission.admit(ip("192.0.2.1"), &limits(9, 1)).is_some());
        assert_eq!(admission.total(), 0);
        assert!(admission.counts().by_network.is_empty());
    }

    #[test]
    fn a_64_is_one_network() {
        let admission = Arc::new(Admission::default());
        let _place = admission.admit(ip("2001:db8::1"), &limits(9, 1)).unwrap();
        assert!(admission.admit(ip("2001:db8::ffff:1"), &limits(9, 1)).is_none());
        assert!(admission.admit(ip("2001:db8:0:1::1"), &limits(9, 1)).is_some());
    }

    #[test]
    fn a_proxy_is_not_counted_but_its_clients_are() {
        let admission = Arc::new(Admission::default());
        let (one, two) = (limits(3, 1), [ip("192.0.2.1"), ip("192.0.2.2")]);
        let mut places: Vec<_> = (0..3).map(|_| admission.admit_proxy(&one).unwrap()).collect();
        assert!(admission.admit_proxy(&one).is_none());
        assert!(places[0].belongs_to(two[0], &one) && places[0].belongs_to(two[0], &one));
        assert!(!places[1].belongs_to(two[0], &one));
        // The first has another client from here on.
        assert!(places[0].belongs_to(two[1], &one) && places[1].belongs_to(two[0], &one));
        assert!(!places[2].belongs_to(two[1], &one));
        drop(places);
        assert!(admission.counts().by_network.is_empty());
        assert_eq!(admission.total(), 0);
    }

    #[test]
    fn the_total_counts_too() {
        let admission = Arc::new(Admission::default());
        let _place = admission.admit(ip("192.0.2.1"), &limits(1, 9)).unwrap();
        assert!(admission.admit(ip("192.0.2.2"), &limits(1, 9)).is_none());
    }
}
