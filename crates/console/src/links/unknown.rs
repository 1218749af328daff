//! Links that nobody knows: somebody mistypes one now and then, and somebody who guesses asks for many.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ipnet::IpNet;
use store::network_of;
use tokio::time::Instant;

/// From so many in this time on, each counts as a failure of its network, as a wrong password does.
const MANY: u32 = 20;
const PERIOD: Duration = Duration::from_secs(600);

/// Networks that are counted at a time. Beyond it all begin anew.
const NETWORKS: usize = 10_000;

/// How many unknown links each network has asked for lately, and since when.
#[derive(Debug, Default)]
pub(crate) struct UnknownLinks(Mutex<HashMap<IpNet, (Instant, u32)>>);

impl UnknownLinks {
    /// Counts an unknown link from this address at this moment. Says whether there were many before it.
    pub(crate) fn is_one_too_many(&self, address: IpAddr, now: Instant) -> bool {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let network = network_of(address);
        if counts.len() >= NETWORKS && !counts.contains_key(&network) {
            counts.retain(|_, (since, _)| now.duration_since(*since) < PERIOD);
            if counts.len() >= NETWORKS {
                counts.clear();
            }
        }
        let count = counts.entry(network).or_insert((now, 0));
        if now.duration_since(count.0) >= PERIOD {
            *count = (now, 0);
        }
        count.1 = count.1.saturating_add(1);
        count.1 >= MANY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twentieth_of_ten_minutes_is_one_too_many_for_its_network_alone() {
        let (links, now) = (UnknownLinks::default(), Instant::now());
        let [one, same, other] =
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|ip| ip.parse().unwrap());
        assert!((0..19).all(|_| !links.is_one_too_many(one, now)));
        assert!(links.is_one_too_many(same, now + Duration::from_secs(599)));
        assert!(!links.is_one_too_many(other, now));
        assert!(!links.is_one_too_many(one, now + PERIOD), "begins anew");
    }

    #[test]
    fn no_more_networks_are_remembered_than_there_is_room_for() {
        let (links, now) = (UnknownLinks::default(), Instant::now());
        for ip in 0..25_000u32 {
            assert!(!links.is_one_too_many(IpAddr::V4(ip.into()), now));
        }
        assert!(links.0.lock().unwrap().len() <= NETWORKS);
    }
}
