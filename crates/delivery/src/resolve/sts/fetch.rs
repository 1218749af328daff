//! Fetching a policy from its host: over HTTPS, and from nowhere else (RFC 8461 section 3.3).
//!
//! The name is looked up as those of mail hosts are, and leads to no network that they may not lead to. The certificate must be of the host, by an authority
//! that the system trusts. Redirects are not followed, and proxies that the environment names are not used.

use std::error::Error as _;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dns::{Families, Resolver};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Certificate, Client, Response, redirect, retry};
use rustls::pki_types::CertificateDer;
use types::{Domain, Host};

use super::policy::{Policy, PolicyError};
use crate::resolve::reach::Reach;

/// How long a fetch takes at most, from looking up the name to the last octet (RFC 8461 section 3.3 suggests a minute).
const DEADLINE: Duration = Duration::from_secs(60);
/// The largest file that is read (RFC 8461 section 3.2 suggests it).
const MAX_FILE: usize = 64 * 1024;

/// Fetches policies.
#[derive(Debug)]
pub(crate) struct PolicyFetcher {
    names: Names,
    trust: Vec<CertificateDer<'static>>,
    /// Made at the first fetch: to read the authorities of the system takes a while.
    client: OnceLock<Client>,
}

/// Where policy hosts are.
#[derive(Debug, Clone)]
struct Names {
    resolver: Resolver,
    families: Families,
    reach: Reach,
}

/// Why there is no policy, though its domain says that there is one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("the name {0} is too long for a policy host")]
    Name(String),
    #[error("{0}")]
    Unreachable(String),
    #[error("it did not come within a minute")]
    Late,
    #[error("the status is {0}, where 200 belongs; redirects are not followed")]
    Status(u16),
    #[error("it is {0}, where text/plain belongs")]
    MediaType(String),
    #[error("it is larger than 64 KiB")]
    TooLarge,
    #[error(transparent)]
    Invalid(#[from] PolicyError),
}

impl PolicyFetcher {
    /// Trusts these authorities besides the system's.
    pub(in crate::resolve) fn new(
        resolver: Resolver,
        families: Families,
        reach: Reach,
        trust: Vec<CertificateDer<'static>>,
    ) -> PolicyFetcher {
        PolicyFetcher { names: Names { resolver, families, reach }, trust, client: OnceLock::new() }
    }

    /// Who knows the records of domains.
    pub(super) fn resolver(&self) -> &Resolver {
        &self.names.resolver
    }

    /// The policy that the host of `domain` has now.
    pub(super) async fn fetch(&self, domain: &Domain) -> Result<Policy, FetchError> {
        let host = Domain::parse(&format!("mta-sts.{}", domain.normal()));
        let host = host.map_err(|_| FetchError::Name(domain.normal()))?.normal();
        let fetched = async {
            let response = self.client()?.get(format!("https://{host}/.well-known/mta-sts.txt")).send().await;
            file(response.map_err(failure)?).await
        };
        let file = tokio::time::timeout(DEADLINE, fetched).await.map_err(|_| FetchError::Late)??;
        Ok(Policy::parse(&file)?)
    }

    fn client(&self) -> Result<&Client, FetchError> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let trust = self.trust.iter().map(|one| Certificate::from_der(one)).collect::<Result<Vec<_>, _>>();
        let client = Client::builder()
            .tls_certs_merge(trust.map_err(failure)?)
            .https_only(true)
            .dns_resolver(Arc::new(self.names.clone()))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            // A domain is asked once a day.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("gatepost/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = client.map_err(failure)?;
        Ok(self.client.get_or_init(|| client))
    }
}

async fn file(mut response: Response) -> Result<Vec<u8>, FetchError> {
    if response.status() != 200 {
        return Err(FetchError::Status(response.status().as_u16()));
    }
    let media_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = media_type.unwrap_or("of no type").to_owned();
    if !media_type.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("text/plain") {
        return Err(FetchError::MediaType(media_type));
    }
    let mut file = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if file.len() + chunk.len() > MAX_FILE {
            return Err(FetchError::TooLarge);
        }
        file.extend_from_slice(&chunk);
    }
    Ok(file)
}

/// With all its causes: the outermost says no more than that a request has failed.
fn failure(error: reqwest::Error) -> FetchError {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    FetchError::Unreachable(text)
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let names = self.clone();
        Box::pin(async move {
            let host = Domain::parse(name.as_str())?;
            let found = names.resolver.addresses(&host, names.families).await?;
            let addresses = names.reach.reachable(&Host::Domain(host), &found.records)?;
            // The port is that of HTTPS.
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}
