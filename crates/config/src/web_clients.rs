//! `[web.clients]`: what mail programs find by themselves, and for which domains.

use serde::Deserialize;
use toml::Spanned;
use types::{Domain, IncomingServer};

use crate::fault::Fault;

/// What mail programs find by themselves that know an address and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebClients {
    /// The domains of whose users the programs are, as the DNS has them; never empty.
    pub domains: Vec<String>,
    /// Where they read mail. Programs take no settings without it.
    pub incoming: IncomingServer,
}

impl WebClients {
    /// The hosts that programs ask, by TLS first: those of Thunderbird and of Outlook, for each domain.
    pub fn hosts(&self) -> impl Iterator<Item = String> {
        self.domains
            .iter()
            .flat_map(|domain| ["autoconfig", "autodiscover"].map(|label| format!("{label}.{domain}")))
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    domains: Option<Spanned<Vec<Spanned<String>>>>,
    imap: Option<Spanned<String>>,
}

const RIGHT_DOMAINS: &str = "write the domains of the addresses, such as [\"example.org\"]";
const RIGHT_IMAP: &str = "write the server that mail is read from, such as \"imaps://imap.example.org:993\"";

/// What the section means.
pub(crate) fn mean(section: Spanned<Written>) -> Result<WebClients, Fault> {
    let at = section.span().start;
    let Written { domains, imap } = section.into_inner();
    let domains = domains.ok_or_else(|| Fault::missing(Some(at), "web.clients.domains", RIGHT_DOMAINS))?;
    let imap = imap.ok_or_else(|| Fault::missing(Some(at), "web.clients.imap", RIGHT_IMAP))?;
    let incoming = IncomingServer::parse(imap.get_ref()).map_err(|bad| Fault::at(&imap, bad.to_string()))?;
    Ok(WebClients { domains: domains_of(&domains)?, incoming })
}

fn domains_of(written: &Spanned<Vec<Spanned<String>>>) -> Result<Vec<String>, Fault> {
    let mut domains = Vec::new();
    for domain in written.get_ref() {
        let read = Domain::parse(domain.get_ref())
            .map_err(|_| Fault::at(domain, format!("is not a domain; {RIGHT_DOMAINS}")))?;
        if domains.contains(&read.normal()) {
            return Err(Fault::at(domain, "is written twice; write each domain once"));
        }
        domains.push(read.normal());
    }
    match domains.is_empty() {
        true => Err(Fault::at(written, format!("is empty; {RIGHT_DOMAINS}"))),
        false => Ok(domains),
    }
}
