//! How many connections there may be, in all and from one network.
//!
//! Whoever opens connections and says nothing must not keep out those who want to log in. So when there is little room left, a
//! new connection takes the place of one that has had its time to log in; those that come after each other that fast are
//! then all silent ones, and they turn each other out. Who has logged in is never turned out.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

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
    /// Those that can be displaced, and how to tell them.
    loose: BTreeMap<Arrival, oneshot::Sender<()>>,
    arrivals: u64,
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

/// Connections of all, as a divisor, that are kept free of clients which do not log in.
const RESERVED: usize = 5;

/// How long a connection may be without a login while only the reserved ones are free. Any client has come so far by then that
/// does not wait for a person; a slow line takes ten round trips to a login.
const TO_LOG_IN: Duration = Duration::from_secs(5);

/// The same when none are free.
const TO_LOG_IN_WHEN_FULL: Duration = Duration::from_secs(1);

/// A place that is taken until this is dropped: one of all, and one of its network's once that is known.
#[derive(Debug)]
pub(crate) struct Place {
    admission: Arc<Admission>,
    network: Option<Network>,
    arrival: Arrival,
    claim: Claim,
}

/// Which connection it is, and since when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Arrival {
    at: Instant,
    number: u64,
}

/// How firmly a place is taken.
#[derive(Debug)]
enum Claim {
    /// By a client that has not logged in, until it is told that somebody else has it.
    Loose(oneshot::Receiver<()>),
    /// By one that has logged in, or is being judged.
    Firm,
    /// Somebody else has it.
    Lost,
    /// It is beside all others, and is not counted.
    Beside,
}

impl Admission {
    /// A place for a connection from `address`, if there is one left.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr, limits: &Limits) -> Option<Place> {
        self.receive(Some(address.into()), limits)
    }

    /// A place for a connection whose client a proxy has yet to name. A proxy has many clients, so it is not counted as
    /// one itself.
    pub(crate) fn admit_proxy(self: &Arc<Self>, limits: &Limits) -> Option<Place> {
        self.receive(None, limits)
    }

    /// A place beside all others, for a connection that the embedder makes itself.
    pub(crate) fn admit_own(self: &Arc<Self>) -> Place {
        let arrival = self.counts().arrive(Instant::now());
        Place { admission: Arc::clone(self), network: None, arrival, claim: Claim::Beside }
    }

    fn receive(self: &Arc<Self>, network: Option<Network>, limits: &Limits) -> Option<Place> {
        let mut counts = self.counts();
        let arrival = counts.arrive(Instant::now());
        let is_welcome = network.is_none_or(|network| counts.has_room_for(network, limits));
        (is_welcome && counts.take_place(arrival.at, limits)).then(|| {
            network.inspect(|network| counts.enter(*network));
            let claim = counts.loosely(arrival);
            Place { admission: Arc::clone(self), network, arrival, claim }
        })
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
    fn arrive(&mut self, at: Instant) -> Arrival {
        self.arrivals += 1;
        Arrival { at, number: self.arrivals }
    }

    /// Counts one connection more, or gives it the place of another.
    fn take_place(&mut self, now: Instant, limits: &Limits) -> bool {
        let is_room = self.total < limits.connections;
        let has_ample_room = self.total < limits.connections - limits.connections / RESERVED;
        let time = if is_room { TO_LOG_IN } else { TO_LOG_IN_WHEN_FULL };
        if has_ample_room || !self.displace(now, time) {
            self.total += usize::from(is_room);
            return is_room;
        }
        true
    }

    /// Tells the connection that has been longest without a login that it has lost its place, if it has been so long.
    fn displace(&mut self, now: Instant, time: Duration) -> bool {
        let first = self.loose.first_entry().filter(|first| now - first.key().at >= time);
        // One that does not listen any more is about to end.
        first.map(|first| first.remove().send(())).is_some()
    }

    fn loosely(&mut self, arrival: Arrival) -> Claim {
        let (tell, told) = oneshot::channel();
        self.loose.insert(arrival, tell);
        Claim::Loose(told)
    }

    fn has_room_for(&self, network: Network, limits: &Limits) -> bool {
        self.by_network.get(&network).is_none_or(|here| *here < limits.connections_per_network)
    }

    fn enter(&mut self, network: Network) {
        *self.by_network.entry(network).or_default() += 1;
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
    pub(crate) fn move_to(&mut self, address: IpAddr, limits: &Limits) -> bool {
        let network = Network::from(address);
        let mut counts = self.admission.counts();
        if self.network == Some(network) {
            return true;
        }
        let is_room = counts.has_room_for(network, limits);
        if is_room {
            counts.enter(network);
            self.network.replace(network).inspect(|before| counts.leave(*before));
        }
        is_room
    }

    /// The client has logged in, or is being judged: nobody else gets this place. If somebody has got it just now, there is
    /// one connection more than there should be.
    pub(crate) fn hold(&mut self) {
        let mut counts = self.admission.counts();
        let had_place = match self.claim {
            Claim::Loose(_) => counts.loose.remove(&self.arrival).is_some(),
            Claim::Firm => true,
            Claim::Lost => false,
            Claim::Beside => return,
        };
        counts.total += usize::from(!had_place);
        self.claim = Claim::Firm;
    }

    /// The client has not logged in after all, or is another now.
    pub(crate) fn loosen(&mut self) {
        if let Claim::Firm = self.claim {
            self.claim = self.admission.counts().loosely(self.arrival);
        }
    }

    /// Ready once somebody else has the place.
    pub(crate) fn poll_lost(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.claim {
            Claim::Loose(told) => {
                // Nothing takes a sender out of the counts silently but this place itself.
                let _ = ready!(Pin::new(told).poll(cx));
                self.claim = Claim::Lost;
                Poll::Ready(())
            }
            Claim::Firm | Claim::Beside => Poll::Pending,
            Claim::Lost => Poll::Ready(()),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.admission.counts();
        let has_place = match self.claim {
            Claim::Loose(_) => counts.loose.remove(&self.arrival).is_some(),
            Claim::Firm => true,
            Claim::Lost | Claim::Beside => false,
        };
        counts.total -= usize::from(has_place);
        if let Some(network) = self.network {
            counts.leave(network);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::advance;

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
        assert!(places[0].move_to(two[0], &one) && places[0].move_to(two[0], &one));
        assert!(!places[1].move_to(two[0], &one));
        // The first has another client from here on.
        assert!(places[0].move_to(two[1], &one) && places[1].move_to(two[0], &one));
        assert!(!places[2].move_to(two[1], &one));
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

    async fn lost(place: &mut Place) -> bool {
        poll_fn(|cx| Poll::Ready(place.poll_lost(cx).is_ready())).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_fifth_is_for_those_who_log_in_at_once() {
        let (admission, ten) = (Arc::new(Admission::default()), limits(10, 99));
        let admit = || admission.admit(ip("192.0.2.1"), &ten);
        let mut places: Vec<_> = (0..8).map(|_| admit().unwrap()).collect();
        places[0].hold();
        advance(TO_LOG_IN - Duration::from_millis(1)).await;
        places.extend([admit().unwrap(), admit().unwrap()]);
        drop(places.pop());
        assert!(!lost(&mut places[1]).await, "there is room");
        advance(Duration::from_millis(1)).await;
        places.push(admit().unwrap());
        assert!(lost(&mut places[1]).await && !lost(&mut places[2]).await);
        assert_eq!(admission.total(), 9);
        assert!(!lost(&mut places[0]).await, "who has logged in stays");
        drop(places.remove(1));
        assert_eq!(admission.total(), 9, "its place was another's already");
        drop(places);
        assert_eq!((admission.total(), admission.counts().loose.len()), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_turned_away_displaces_nobody() {
        let (admission, two) = (Arc::new(Admission::default()), limits(2, 1));
        let mut one = admission.admit(ip("192.0.2.1"), &two).unwrap();
        let _other = admission.admit(ip("192.0.2.2"), &two).unwrap();
        advance(TO_LOG_IN).await;
        assert!(admission.admit(ip("192.0.2.2"), &two).is_none());
        assert!(!lost(&mut one).await);
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_are_taken_a_second_has_to_do() {
        let (admission, two) = (Arc::new(Admission::default()), limits(2, 99));
        let admit = || admission.admit(ip("192.0.2.1"), &two);
        let (mut first, mut second) = (admit().unwrap(), admit().unwrap());
        assert!(admit().is_none());
        first.hold();
        advance(TO_LOG_IN_WHEN_FULL).await;
        let mut third = admit().unwrap();
        assert!(lost(&mut second).await && !lost(&mut first).await);
        third.hold();
        advance(TO_LOG_IN_WHEN_FULL).await;
        assert!(admit().is_none(), "both have logged in");
        // It was judged while its place was given away.
        second.hold();
        assert_eq!(admission.total(), 3);
        first.loosen();
        drop((second, third));
        assert!(!lost(&mut first).await);
        assert_eq!(admission.total(), 1);
    }

    #[tokio::test]
    async fn a_place_beside_all_others_is_nobodys() {
        let (admission, one) = (Arc::new(Admission::default()), limits(1, 1));
        let mut own = admission.admit_own();
        own.hold();
        own.loosen();
        let place = admission.admit(ip("127.0.0.1"), &one).unwrap();
        assert_eq!(admission.total(), 1);
        drop(own);
        assert_eq!(admission.total(), 1);
        drop(place);
        assert_eq!(admission.total(), 0);
    }
}
