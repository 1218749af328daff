//! `auth.optional`: mail without a login, for machines that can't log in.
//!
//! Whence, whereto and in whose name are written together or not at all: one of them alone would be an open relay.

use ipnet::IpNet;
use toml::Spanned;
use types::{DomainPattern, SenderPattern};

use crate::fault::Fault;
use crate::network::{self, Network};
use crate::word::Word;

/// Which mail is taken without a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// From these networks; never empty.
    pub networks: Vec<IpNet>,
    /// To these domains; never empty.
    pub domains: Vec<DomainPattern>,
    /// In these names; never empty.
    pub senders: Vec<SenderPattern>,
}

/// A list of `[auth]`, as it is written.
type List<T> = Option<Spanned<Vec<Spanned<T>>>>;

pub(crate) struct Written {
    pub(crate) optional: Option<Spanned<bool>>,
    pub(crate) networks: List<Network>,
    pub(crate) domains: List<Word<DomainPattern>>,
    pub(crate) senders: List<String>,
}

const RIGHT_NETWORKS: &str = "write whose mail is taken, such as relay_networks = [\"192.0.2.0/28\"]";
const RIGHT_DOMAINS: &str = "write where it may go, such as relay_domains = [\"example.org\"]";
const RIGHT_SENDERS: &str = "write in whose name, such as relay_senders = [\"printer@example.org\"]";

impl Written {
    pub(crate) fn mean(self) -> Result<Option<Relay>, Fault> {
        let Some(optional) = self.optional.as_ref().filter(|optional| *optional.get_ref()) else {
            return self.refuse_lists().map(|()| None);
        };
        let networks = listed(self.networks, optional, "relay_networks", RIGHT_NETWORKS)?;
        let senders = listed(self.senders, optional, "relay_senders", RIGHT_SENDERS)?;
        let domains = listed(self.domains, optional, "relay_domains", RIGHT_DOMAINS)?;
        Ok(Some(Relay {
            networks: networks.into_iter().map(network::of_trusted).collect::<Result<_, _>>()?,
            domains: domains.into_iter().map(|domain| domain.into_inner().0).collect(),
            senders: senders.into_iter().map(sender).collect::<Result<_, _>>()?,
        }))
    }

    fn refuse_lists(&self) -> Result<(), Fault> {
        refuse(self.networks.as_ref())?;
        refuse(self.domains.as_ref())?;
        refuse(self.senders.as_ref())
    }
}

fn refuse<T>(list: Option<&Spanned<Vec<Spanned<T>>>>) -> Result<(), Fault> {
    list.map_or(Ok(()), |list| {
        Err(Fault::at(list, "is for mail without AUTH; write optional = true beside it, or leave it out"))
    })
}

fn listed<T>(
    list: List<T>,
    optional: &Spanned<bool>,
    key: &str,
    right: &str,
) -> Result<Vec<Spanned<T>>, Fault> {
    match list {
        None => Err(Fault::at(optional, format!("is an open relay without {key}; {right}"))),
        Some(list) if list.get_ref().is_empty() => Err(Fault::at(&list, format!("is empty; {right}"))),
        Some(list) => Ok(list.into_inner()),
    }
}

fn sender(written: Spanned<String>) -> Result<SenderPattern, Fault> {
    const RIGHT: &str = "write \"printer@example.org\", or \"*@example.org\" for all of a domain";
    let fault = |text: &str, is: &str| Err(Fault::at(&written, format!("\"{text}\" is {is}; {RIGHT}")));
    match written.get_ref().parse() {
        Ok(SenderPattern::Any) => fault("*", "anybody"),
        Ok(sender) => Ok(sender),
        Err(_) => fault(written.get_ref(), "no sender"),
    }
}
