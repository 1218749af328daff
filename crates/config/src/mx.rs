//! `[delivery.mx]`: which mail hosts of other domains mail may be sent to, and what they have to prove.

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::network::{self, Network};

/// Which mail hosts of other domains mail may be sent to, and what they have to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mx {
    /// Whether hosts are reached by IPv6, too.
    pub ipv6: bool,
    /// Whether a host that has TLSA records in the DNS, proved by DNSSEC, has to show a certificate that they name (DANE, RFC 7672).
    pub dane: bool,
    /// Private networks, or addresses of this machine, that an MX may lead to.
    pub allow_networks: Vec<IpNet>,
    /// Whether mail is sent as the policies of domains demand (MTA-STS).
    pub mta_sts: bool,
}

impl Default for Mx {
    fn default() -> Mx {
        Mx { ipv6: true, dane: true, allow_networks: Vec::new(), mta_sts: true }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    ipv6: Option<bool>,
    dane: Option<bool>,
    allow_networks: Vec<Spanned<Network>>,
    mta_sts: Option<bool>,
}

impl Written {
    pub(crate) fn mean(self) -> Result<Mx, Fault> {
        let allow_networks = self.allow_networks.into_iter().map(network::of_trusted);
        Ok(Mx {
            ipv6: self.ipv6.unwrap_or(Mx::default().ipv6),
            dane: self.dane.unwrap_or(Mx::default().dane),
            allow_networks: allow_networks.collect::<Result<_, _>>()?,
            mta_sts: self.mta_sts.unwrap_or(Mx::default().mta_sts),
        })
    }
}
