//! Who the client is: whoever has connected, or whom a trusted proxy names.

use std::net::IpAddr;

use axum::http::HeaderMap;

use crate::channel::Channel;

/// The header in which proxies say for whom they ask, each behind those before it.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of the client. Of the hops that trusted proxies name, the last that is no trusted proxy counts: what stands before it anybody
/// could have written. If it is no address, the proxy itself is the client.
pub(crate) fn client(channel: &Channel, headers: &HeaderMap) -> IpAddr {
    let peer = channel.peer.ip();
    match channel.is_of_proxy() {
        true => named(channel, headers).unwrap_or(peer),
        false => peer,
    }
}

fn named(channel: &Channel, headers: &HeaderMap) -> Option<IpAddr> {
    let lines: Vec<_> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let hops = lines.iter().flat_map(|line| line.split(',')).rev();
    let mut hops = hops.map(|hop| hop.trim().parse().ok().map(|ip: IpAddr| ip.to_canonical()));
    hops.find(|hop| !hop.is_some_and(|ip| channel.trusts(ip))).flatten()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn seen(peer: &str, trusted: &[&str], forwarded: &[&str]) -> String {
        let channel = Channel {
            peer: format!("{peer}:4000").parse().unwrap(),
            local: "127.0.0.1:80".parse().unwrap(),
            tls: None,
            serve: Arc::new([]),
            trusted_proxies: trusted.iter().map(|network| network.parse().unwrap()).collect(),
        };
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        client(&channel, &headers).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_names_the_client_and_only_the_last_hop_counts() {
        let proxies = ["10.0.0.0/8"];
        for (peer, forwarded, expected) in [
            ("192.0.2.7", vec!["198.51.100.1"], "192.0.2.7"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", vec!["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", vec!["203.0.113.9", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", vec!["::ffff:198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", vec!["198.51.100.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["10.0.0.2"], "10.0.0.1"),
        ] {
            assert_eq!(seen(peer, &proxies, &forwarded), expected, "{peer} {forwarded:?}");
        }
    }
}
