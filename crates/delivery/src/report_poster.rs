//! Reports on TLS by HTTPS (RFC 8460 section 3), to those who want them so.

use std::time::Duration;

use dns::Resolver;
use reqwest::Url;
use reqwest::header::CONTENT_TYPE;
use tokio::time::timeout;

use crate::resolve::{Https, MxRules, in_words};

/// How long a report takes at most, from looking up the name to the status.
const DEADLINE: Duration = Duration::from_secs(60);
/// RFC 8460 section 6.5.
const MEDIA_TYPE: &str = "application/tlsrpt+gzip";

/// Posts reports. Who wants them proves its name, which RFC 8460 section 3 leaves to us: the figures tell whom we send mail to.
#[derive(Debug)]
pub struct ReportPoster(Https);

/// Why a report was not posted. It is not posted again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// There was no answer.
    #[error("{0}")]
    Unreachable(String),
    /// There was none in time.
    #[error("there was no answer within a minute")]
    Late,
    /// The answer is not that it was taken.
    #[error("the status is {0}, where 200 or 201 belongs; redirects are not followed")]
    Status(u16),
}

impl ReportPoster {
    /// Connects to no network that mail may not be sent to by these rules.
    #[must_use]
    pub fn new(resolver: &Resolver, rules: &MxRules) -> ReportPoster {
        ReportPoster(rules.https(resolver))
    }

    /// Posts a report, compressed.
    ///
    /// # Errors
    /// When it was not taken, or nobody knows whether it was.
    pub async fn post(&self, to: &Url, figures: Vec<u8>) -> Result<(), PostError> {
        let failure = |error| PostError::Unreachable(in_words(error));
        let request = self.0.client().map_err(failure)?.post(to.clone());
        let request = request.header(CONTENT_TYPE, MEDIA_TYPE).body(figures);
        let response =
            timeout(DEADLINE, request.send()).await.map_err(|_| PostError::Late)?.map_err(failure)?;
        match response.status().is_success() {
            true => Ok(()),
            false => Err(PostError::Status(response.status().as_u16())),
        }
    }
}
