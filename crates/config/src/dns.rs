//! `[dns]`: which name servers are asked, and whose keys are trusted.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::value::{Base, Text};

/// Which name servers are asked, and whose keys are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dns {
    /// Recursive name servers; if there are none, the system's.
    pub servers: Vec<SocketAddr>,
    /// DNSKEY records to trust instead of the root's.
    pub trust_anchors: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    servers: Vec<Server>,
    trust_anchors: Option<Spanned<String>>,
}

impl Written {
    pub(crate) fn mean(self, base: &Base) -> Result<Dns, Fault> {
        let anchors = self.trust_anchors.filter(|path| !path.get_ref().is_empty());
        Ok(Dns {
            servers: self.servers.into_iter().map(|Server(address)| address).collect(),
            trust_anchors: anchors.map(|path| base.path(&path)).transpose()?,
        })
    }
}

/// The port of the DNS, where none is written.
const PORT: u16 = 53;
const A_SERVER: &str =
    "an IP address such as \"192.0.2.53\", or one with its port: \"127.0.0.1:5353\" or \"[::1]:5353\"";

/// A name server, as it is written in a list.
struct Server(SocketAddr);

impl Server {
    /// Never a name: somebody would have to be asked what it stands for.
    fn parse(text: &str) -> Result<Server, String> {
        let address = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT)).or_else(|_| text.parse());
        address
            .ok()
            .filter(|address| address.port() != 0 && !address.ip().is_unspecified())
            .map(Server)
            .ok_or_else(|| format!("\"{text}\" is not a name server; write {A_SERVER}"))
    }
}

impl<'de> Deserialize<'de> for Server {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text { expecting: A_SERVER, parse: Server::parse })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_is_an_address_with_a_port_or_without() {
        for (text, server) in [
            ("192.0.2.53", "192.0.2.53:53"),
            ("127.0.0.1:5353", "127.0.0.1:5353"),
            ("2001:db8::53", "[2001:db8::53]:53"),
            ("[::1]:5353", "[::1]:5353"),
        ] {
            assert_eq!(Server::parse(text).unwrap().0.to_string(), server);
        }
        for text in ["", "ns.example.org", "192.0.2.53:0", "192.0.2.53:dns", "0.0.0.0", "[::1]", "::1:53:"] {
            assert!(Server::parse(text).is_err(), "{text}");
        }
    }
}
