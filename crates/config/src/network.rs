//! Networks: CIDR, or a single address.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::value::Text;

/// A network, as it is written in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Network(pub(crate) IpNet);

const A_NETWORK: &str = "a network such as \"192.0.2.0/24\", or a single address";

impl Network {
    /// An IPv4 address that is written as one of IPv6 is meant as what it is.
    fn parse(text: &str) -> Result<Network, String> {
        let network = match text.split_once('/') {
            Some((address, length)) => with_length(address, length),
            None => text.parse::<IpAddr>().ok().map(|address| address.to_canonical().into()),
        };
        let network = network.ok_or_else(|| format!("\"{text}\" is not a network; write {A_NETWORK}"))?;
        match network.trunc() == network {
            true => Ok(Network(network)),
            false => Err(format!("\"{text}\" is an address within a network; write \"{}\"", network.trunc())),
        }
    }
}

/// The address is read as everywhere else: without zeros in front, which some take for octal. No client is ever seen
/// under an IPv4 address in the clothes of IPv6, so a network of those would match nobody.
fn with_length(address: &str, length: &str) -> Option<IpNet> {
    let address = address.parse::<IpAddr>().ok()?;
    let is_mapped = address.to_canonical() != address;
    IpNet::new(address, length.parse().ok()?).ok().filter(|_| !is_mapped)
}

/// A network of those whom somebody trusts, which can't be everybody.
pub(crate) fn of_trusted(written: Spanned<Network>) -> Result<IpNet, Fault> {
    let Network(network) = *written.get_ref();
    match network.prefix_len() {
        0 => Err(Fault::at(
            &written,
            format!("{network} is everybody; write the networks of machines you know"),
        )),
        _ => Ok(network),
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Network, D::Error> {
        deserializer.deserialize_str(Text { expecting: A_NETWORK, parse: Network::parse })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_written_in_full_or_as_one_address() {
        for (text, network) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("::ffff:192.0.2.7", "192.0.2.7/32"),
            ("2001:db8::/32", "2001:db8::/32"),
        ] {
            assert_eq!(Network::parse(text).unwrap().0.to_string(), network);
        }
        for text in [
            "",
            "printer",
            "192.0.2.0/33",
            "192.0.2.0-9",
            "192.0.2.7/24",
            "2001:db8::1/32",
            "010.0.0.0/8",
            "::ffff:10.0.0.0/104",
        ] {
            assert!(Network::parse(text).is_err(), "{text}");
        }
    }
}
