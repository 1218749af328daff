//! `[delivery.mx]`: which mail hosts of other domains mail may be sent to.

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::network::{self, Network};

/// Which mail hosts of other domains mail may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mx {
    /// Whether hosts are reached by IPv6, too.
    pub ipv6: bool,
    /// Private networks, or addresses of this machine, that an MX may lead to.
    pub allow_networks: Vec<IpNet>,
}

impl Default for Mx {
    fn default() -> Mx {
        Mx { ipv6: true, allow_networks: Vec::new() }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    ipv6: Option<bool>,
    allow_networks: Vec<Spanned<Network>>,
}

impl Written {
    pub(crate) fn mean(self) -> Result<Mx, Fault> {
        let allow_networks = self.allow_networks.into_iter().map(network::of_trusted);
        Ok(Mx {
            ipv6: self.ipv6.unwrap_or(Mx::default().ipv6),
            allow_networks: allow_networks.collect::<Result<_, _>>()?,
        })
    }
}
