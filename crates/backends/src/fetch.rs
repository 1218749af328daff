//! Asking other servers over HTTP: identity providers, and whoever is asked about a login.
//!
//! What is asked is an [`Endpoint`], so with TLS, or on this machine. Certificates are verified against the authorities
//! of the system and those of the configuration. No answer leads anywhere else: redirects are not followed, and proxies
//! that the environment names are not used, as who sets a variable must not read tokens. A request has one deadline,
//! from looking up the name to the last octet of the answer, and an answer a size, both checked while it comes in.
//! Nothing is asked twice.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, redirect, retry};
use rustls::pki_types::CertificateDer;
use serde::Serialize;
use types::{Endpoint, Secret};
use zeroize::Zeroizing;

/// The largest answer that is read. A document of keys has a few KiB.
pub const MAX_ANSWER: usize = 512 * 1024;

/// How long a request takes at most, unless the configuration says otherwise.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// A client of HTTP.
#[derive(Clone, Debug)]
pub struct Fetcher {
    client: Client,
}

/// A response that was read to its end, whatever its status.
pub struct Fetched {
    /// The status of HTTP.
    pub status: u16,
    /// The body, not more than [`MAX_ANSWER`].
    pub body: Zeroizing<Vec<u8>>,
}

/// A header of a request; its value is never shown.
#[derive(Clone, Debug)]
pub struct Header {
    name: HeaderName,
    value: HeaderValue,
}

/// Why no request can be made at all.
#[derive(Debug, thiserror::Error)]
#[error("requests over TLS cannot be set up")]
pub struct FetcherError(#[source] reqwest::Error);

/// What a name or a value has that no header may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a header of HTTP: names are letters, digits and hyphens, values printable")]
pub struct BadHeader;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, no TLS, or no HTTP.
    #[error("{endpoint} cannot be asked")]
    Unreachable {
        /// Who was asked.
        endpoint: Endpoint,
        /// What is wrong.
        #[source]
        source: reqwest::Error,
    },
    /// The answer was not there in time.
    #[error("{0} did not answer in time")]
    Late(Endpoint),
    /// The answer is larger than [`MAX_ANSWER`].
    #[error("the answer of {0} is larger than {size} KiB", size = MAX_ANSWER / 1024)]
    TooLarge(Endpoint),
}

impl Fetcher {
    /// A client with this deadline for each request, which trusts these authorities besides the system's.
    ///
    /// # Errors
    /// If an authority is no certificate, or there is nobody to trust.
    pub fn new(deadline: Duration, authorities: &[CertificateDer<'_>]) -> Result<Self, FetcherError> {
        let authorities: Result<Vec<_>, _> =
            authorities.iter().map(|one| reqwest::Certificate::from_der(one)).collect();
        let client = Client::builder()
            .tls_certs_merge(authorities.map_err(FetcherError)?)
            .timeout(deadline)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .user_agent(concat!("gatepost/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { client: client.map_err(FetcherError)? })
    }

    /// GET.
    ///
    /// # Errors
    /// [`FetchError`], if there is no answer; a status such as 404 is one.
    pub async fn get(&self, endpoint: &Endpoint, headers: &[Header]) -> Result<Fetched, FetchError> {
        ask(self.client.get(endpoint.as_str()), endpoint, headers).await
    }

    /// POST of what a form holds, `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// As [`Fetcher::get`].
    pub async fn post_form(
        &self,
        endpoint: &Endpoint,
        headers: &[Header],
        form: &(impl Serialize + ?Sized),
    ) -> Result<Fetched, FetchError> {
        ask(self.client.post(endpoint.as_str()).form(form), endpoint, headers).await
    }

    /// POST of JSON.
    ///
    /// # Errors
    /// As [`Fetcher::get`].
    pub async fn post_json(
        &self,
        endpoint: &Endpoint,
        headers: &[Header],
        json: &(impl Serialize + ?Sized),
    ) -> Result<Fetched, FetchError> {
        ask(self.client.post(endpoint.as_str()).json(json), endpoint, headers).await
    }
}

async fn ask(
    request: RequestBuilder,
    endpoint: &Endpoint,
    headers: &[Header],
) -> Result<Fetched, FetchError> {
    let request = headers
        .iter()
        .fold(request, |request, Header { name, value }| request.header(name.clone(), value.clone()))
        .header(ACCEPT, "application/json");
    let response = request.send().await.map_err(|error| failure(endpoint, error))?;
    Ok(Fetched { status: response.status().as_u16(), body: body(response, endpoint).await? })
}

/// The body, as long as it is not too large. What the answer says of its length is not asked: it may say anything.
async fn body(mut response: Response, endpoint: &Endpoint) -> Result<Zeroizing<Vec<u8>>, FetchError> {
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(endpoint, error))? {
        if body.len() + chunk.len() > MAX_ANSWER {
            return Err(FetchError::TooLarge(endpoint.clone()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failure(endpoint: &Endpoint, error: reqwest::Error) -> FetchError {
    let endpoint = endpoint.clone();
    if error.is_timeout() {
        return FetchError::Late(endpoint);
    }
    // Its own URL has the query.
    FetchError::Unreachable { endpoint, source: error.without_url() }
}

impl Header {
    /// A header with a value that stays secret.
    ///
    /// # Errors
    /// If HTTP has no such header.
    pub fn new(name: &str, value: &Secret) -> Result<Self, BadHeader> {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| BadHeader)?;
        let mut value = HeaderValue::from_bytes(value.declassify()).map_err(|_| BadHeader)?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }

    /// A client's name and secret as OAuth sends them (RFC 6749 section 2.3.1): encoded as in a form, then by RFC 7617.
    #[must_use]
    pub fn basic(client: &str, secret: &Secret) -> Self {
        let encode = |octets: &[u8]| url::form_urlencoded::byte_serialize(octets).collect::<String>();
        let login = Zeroizing::new(format!("{}:{}", encode(client.as_bytes()), encode(secret.declassify())));
        let value = Zeroizing::new(format!("Basic {}", STANDARD.encode(login.as_bytes())));
        // Base64 is always a value.
        let mut value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""));
        value.set_sensitive(true);
        Self { name: AUTHORIZATION, value }
    }
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fetched({}, {} octets)", self.status, self.body.len())
    }
}

#[cfg(test)]
mod tests;
