//! What is one network: what a single client can be expected to have to itself.

use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// How much of an IPv6 address a site has to itself (RFC 6177, RFC 4291 section 2.5.1).
const SITE: u8 = 64;

/// The network of an address: an IPv4 address alone, or an IPv6 /64. An IPv4-mapped IPv6 address is IPv4.
#[must_use]
pub fn network_of(address: IpAddr) -> IpNet {
    match address.to_canonical() {
        IpAddr::V4(address) => Ipv4Net::from(address).into(),
        IpAddr::V6(address) => Ipv6Net::new_assert(address, SITE).trunc().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_stands_alone_and_an_ipv6_one_has_neighbours() {
        for (address, network) in [
            ("192.0.2.7", "192.0.2.7/32"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network_of(address.parse().unwrap()).to_string(), network);
        }
    }
}
