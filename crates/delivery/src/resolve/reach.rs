//! Which addresses mail is sent to. Anybody can write any address into the DNS, and nobody may reach this machine or the networks behind it
//! by that: their services trust whoever can connect to them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use types::Host;

use super::unroutable::Unroutable;

/// Networks of IPv4 that are not of the internet (RFC 6890), and what they are.
const V4: [(Ipv4Net, &str); 11] = [
    (v4([0, 0, 0, 0], 8), "no address of a host"),
    (v4([10, 0, 0, 0], 8), "private"),
    (v4([100, 64, 0, 0], 10), "private to a provider"),
    (v4([127, 0, 0, 0], 8), "this machine"),
    (v4([169, 254, 0, 0], 16), "link-local"),
    (v4([172, 16, 0, 0], 12), "private"),
    (v4([192, 0, 0, 0], 24), "reserved"),
    (v4([192, 168, 0, 0], 16), "private"),
    (v4([198, 18, 0, 0], 15), "private to a laboratory"),
    (v4([224, 0, 0, 0], 4), "multicast"),
    (v4([240, 0, 0, 0], 4), "reserved"),
];

/// Networks of IPv6 that are not of the internet, and what they are.
const V6: [(Ipv6Net, &str); 9] = [
    // With the unspecified address, that of this machine, and those of IPv4 in their old form.
    (v6([0, 0, 0, 0], 96), "this machine, or no address of a host"),
    (v6([0x64, 0xff9b, 1, 0], 48), "private"),
    (v6([0x100, 0, 0, 0], 64), "reserved"),
    // Teredo: an IPv4 address, and a port of it, that nobody sees.
    (v6([0x2001, 0, 0, 0], 32), "a tunnel"),
    (v6([0xfc00, 0, 0, 0], 7), "private"),
    (v6([0xfe80, 0, 0, 0], 10), "link-local"),
    (v6([0xfec0, 0, 0, 0], 10), "private"),
    (v6([0xff00, 0, 0, 0], 8), "multicast"),
    (v6([0x5f00, 0, 0, 0], 16), "reserved"),
];

/// IPv4 within IPv6: NAT64 (RFC 6052 section 2.1), which has it at its end, and 6to4 (RFC 3056 section 2), which has it behind its prefix.
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0, 0], 96);
const SIX_TO_FOUR: Ipv6Net = v6([0x2002, 0, 0, 0], 16);

const fn v4(network: [u8; 4], length: u8) -> Ipv4Net {
    let [a, b, c, d] = network;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

/// Of the first four groups; the others are 0.
const fn v6(network: [u16; 4], length: u8) -> Ipv6Net {
    let [a, b, c, d] = network;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0), length)
}

/// Which addresses mail is sent to: those of the internet, and those that the operator allows.
#[derive(Debug, Clone)]
pub(super) struct Reach {
    allowed: Vec<IpNet>,
}

impl Reach {
    pub(super) fn new(allowed: Vec<IpNet>) -> Reach {
        Reach { allowed }
    }

    /// Those of a host's addresses that mail is sent to, in their order, those of IPv4 in no other clothes.
    ///
    /// # Errors
    /// [`Unroutable::Forbidden`] when there is none, with the first that is not.
    pub(super) fn reachable(&self, host: &Host, addresses: &[IpAddr]) -> Result<Vec<IpAddr>, Unroutable> {
        let judged =
            addresses.iter().map(IpAddr::to_canonical).map(|address| (address, self.forbids(address)));
        let (reachable, forbidden): (Vec<_>, Vec<_>) = judged.partition(|(_, what)| what.is_none());
        match (reachable.is_empty(), forbidden.first()) {
            (true, Some((address, Some(what)))) => {
                Err(Unroutable::Forbidden { host: host.to_string(), address: *address, what })
            }
            (true, _) => Err(Unroutable::NoAddress(host.to_string())),
            (false, _) => Ok(reachable.into_iter().map(|(address, _)| address).collect()),
        }
    }

    /// Whether the operator allows it, whatever it is.
    pub(super) fn is_allowed(&self, address: IpAddr) -> bool {
        self.allowed.iter().any(|network| network.contains(&address))
    }

    fn forbids(&self, address: IpAddr) -> Option<&'static str> {
        if self.is_allowed(address) { None } else { special(address) }
    }
}

/// What an address is that is not of the internet.
fn special(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => {
            V4.iter().find(|(network, _)| network.contains(&address)).map(|(_, what)| *what)
        }
        IpAddr::V6(address) => {
            let own = V6.iter().find(|(network, _)| network.contains(&address)).map(|(_, what)| *what);
            own.or_else(|| special(within(address)?.into()))
        }
    }
}

/// The IPv4 address that an IPv6 address leads to.
fn within(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = address.octets();
    let at = match () {
        () if NAT64.contains(&address) => 12,
        () if SIX_TO_FOUR.contains(&address) => 2,
        () => return None,
    };
    octets.get(at..at + 4).and_then(|octets| <[u8; 4]>::try_from(octets).ok()).map(Ipv4Addr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reach(allowed: &[&str]) -> Reach {
        Reach::new(allowed.iter().map(|network| network.parse().unwrap()).collect())
    }

    fn taken(reach: &Reach, addresses: &[&str]) -> Result<Vec<String>, String> {
        let host = Host::parse("mx.example.org").unwrap();
        let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let reachable = reach.reachable(&host, &addresses);
        let text = |addresses: Vec<IpAddr>| addresses.iter().map(ToString::to_string).collect();
        reachable.map(text).map_err(|error| error.to_string())
    }

    #[test]
    fn mail_goes_to_addresses_of_the_internet() {
        let own = [
            "192.0.2.1",
            "2001:db8::1",
            "8.8.8.8",
            "2606:4700::1",
            "172.32.0.1",
            "100.128.0.1",
            "64:ff9b::808:808",
            "2002:808:808::1",
        ];
        assert_eq!(taken(&reach(&[]), &own).unwrap(), own);
        assert_eq!(taken(&reach(&[]), &["::ffff:8.8.8.8"]).unwrap(), ["8.8.8.8"]);
    }

    #[test]
    fn del_02_mail_goes_to_no_other_address_in_any_clothes() {
        for address in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:0:0",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:c0a8:101::1",
            "2001::1",
            "100::1",
        ] {
            let refused = taken(&reach(&[]), &[address]).unwrap_err();
            assert!(refused.starts_with("the mail host mx.example.org is at "), "{address}: {refused}");
        }
    }

    #[test]
    fn the_other_addresses_of_a_host_are_left() {
        assert_eq!(taken(&reach(&[]), &["10.0.0.1", "192.0.2.1", "::1"]).unwrap(), ["192.0.2.1"]);
        assert_eq!(
            taken(&reach(&[]), &[]).unwrap_err(),
            "the mail host mx.example.org does not exist, or has no address"
        );
    }

    #[test]
    fn the_operator_may_allow_any_network() {
        let reach = reach(&["127.0.0.0/8", "fd00::/8"]);
        let addresses = ["127.0.0.1", "::ffff:127.0.0.2", "fd00::1"];
        assert_eq!(taken(&reach, &addresses).unwrap(), ["127.0.0.1", "127.0.0.2", "fd00::1"]);
        assert!(taken(&reach, &["10.0.0.1"]).is_err() && taken(&reach, &["fc00::1"]).is_err());
    }
}
