//! Fetching a policy from its host: over HTTPS, and from nowhere else (RFC 8461 section 3.3).

use std::time::Duration;

use dns::{Families, Resolver};
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use rustls::pki_types::CertificateDer;
use types::Domain;

use super::policy::{Policy, PolicyError};
use crate::resolve::https::{self, Https};
use crate::resolve::reach::Reach;

/// How long a fetch takes at most, from looking up the name to the last octet (RFC 8461 section 3.3 suggests a minute).
const DEADLINE: Duration = Duration::from_secs(60);
/// The largest file that is read (RFC 8461 section 3.2 suggests it).
const MAX_FILE: usize = 64 * 1024;

/// Fetches policies.
#[derive(Debug)]
pub(crate) struct PolicyFetcher(Https);

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
        PolicyFetcher(Https::new(resolver, families, reach, trust))
    }

    /// Who knows the records of domains.
    pub(super) fn resolver(&self) -> &Resolver {
        self.0.resolver()
    }

    /// The policy that the host of `domain` has now.
    pub(super) async fn fetch(&self, domain: &Domain) -> Result<Policy, FetchError> {
        let host = Domain::parse(&format!("mta-sts.{}", domain.normal()));
        let host = host.map_err(|_| FetchError::Name(domain.normal()))?.normal();
        let fetched = async {
            let client = self.0.client().map_err(failure)?;
            let response = client.get(format!("https://{host}/.well-known/mta-sts.txt")).send().await;
            file(response.map_err(failure)?).await
        };
        let file = tokio::time::timeout(DEADLINE, fetched).await.map_err(|_| FetchError::Late)??;
        Ok(Policy::parse(&file)?)
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

fn failure(error: reqwest::Error) -> FetchError {
    FetchError::Unreachable(https::in_words(error))
}
