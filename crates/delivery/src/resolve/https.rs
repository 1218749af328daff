//! HTTPS with hosts that others name in the DNS: those of policies (RFC 8461 section 3.3), and those that want reports (RFC 8460 section 3).
//!
//! A name is looked up as those of mail hosts are, and leads to no network that they may not lead to. The certificate must be of the host, by an
//! authority that the system trusts. Redirects are not followed, and proxies that the environment names are not used.

use std::error::Error as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use dns::{Families, Resolver};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Certificate, Client, redirect, retry};
use rustls::pki_types::CertificateDer;
use types::{Domain, Host};

use super::reach::Reach;
use super::unroutable::Unroutable;

/// A client of such hosts.
#[derive(Debug)]
pub(crate) struct Https {
    names: Names,
    trust: Vec<CertificateDer<'static>>,
    /// Made at the first request: to read the authorities of the system takes a while.
    client: OnceLock<Client>,
}

/// Where hosts are.
#[derive(Debug, Clone)]
struct Names {
    resolver: Resolver,
    families: Families,
    reach: Reach,
}

impl Https {
    /// Trusts these authorities besides the system's.
    pub(super) fn new(
        resolver: Resolver,
        families: Families,
        reach: Reach,
        trust: Vec<CertificateDer<'static>>,
    ) -> Https {
        Https { names: Names { resolver, families, reach }, trust, client: OnceLock::new() }
    }

    /// Who knows the records of domains.
    pub(super) fn resolver(&self) -> &Resolver {
        &self.names.resolver
    }

    /// # Errors
    /// When there can be no TLS, such as where the system knows of no authority.
    pub(crate) fn client(&self) -> Result<&Client, reqwest::Error> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let trust = self.trust.iter().map(|one| Certificate::from_der(one)).collect::<Result<Vec<_>, _>>();
        let client = Client::builder()
            .tls_certs_merge(trust?)
            .https_only(true)
            .dns_resolver(Arc::new(self.names.clone()))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            // A host is asked once a day.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("gatepost/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// What went wrong with all its causes: the outermost says no more than that a request has failed.
pub(crate) fn in_words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A host that nobody connects to.
#[derive(Debug, thiserror::Error)]
#[error("{host} is at {address}, which is {what}: nobody there is connected to")]
struct Inside {
    host: String,
    address: IpAddr,
    what: &'static str,
}

/// Why there is no address to connect to, in words that are not of mail.
fn told(unroutable: Unroutable) -> Box<dyn std::error::Error + Send + Sync> {
    match unroutable {
        Unroutable::Forbidden { host, address, what } => Box::new(Inside { host, address, what }),
        other => Box::new(other),
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            let host = Domain::parse(name.as_str())?;
            let found = names.resolver.addresses(&host, names.families).await?;
            let addresses = names.reach.reachable(&Host::Domain(host), &found.records).map_err(told)?;
            // The port is that of HTTPS.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
