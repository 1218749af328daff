//! How many requests a token may make in a minute, and how many of them may make something.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use types::ApiTokenId;

use super::failure::Failure;
use crate::limits::{PERIOD, Rate};

/// What a token may make in a minute.
const CREATIONS: u32 = 60;

/// <https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-10.html>
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What is counted of the API.
#[derive(Debug)]
pub(crate) struct Rates {
    requests: Rate<ApiTokenId>,
    creations: Rate<ApiTokenId>,
}

/// What a token has left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Left {
    requests: u32,
    of: u32,
}

impl Rates {
    /// So many requests of a token in a minute.
    pub(crate) fn of_minute(requests: u32) -> Self {
        Self { requests: Rate::of_minute(requests), creations: Rate::of_minute(CREATIONS.min(requests)) }
    }

    /// Counts a request with this token.
    ///
    /// # Errors
    /// When there were too many.
    pub(crate) fn count(&self, token: ApiTokenId, makes: bool, now: Instant) -> Result<Left, Failure> {
        let left = self.requests.count(token, now).map_err(Failure::too_many)?;
        if makes {
            self.creations.count(token, now).map_err(Failure::too_many)?;
        }
        Ok(Left { requests: left, of: self.requests.per_minute() })
    }
}

impl Left {
    /// Tells what is left.
    pub(crate) fn tell(self, headers: &mut HeaderMap) {
        let seconds = PERIOD.as_secs();
        let said = [
            (LIMIT, format!("\"token\";r={};t={seconds}", self.requests)),
            (POLICY, format!("\"token\";q={};w={seconds}", self.of)),
        ];
        for (name, value) in said {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}
