//! What a form holds.

use std::fmt;

use axum::body::{Body, to_bytes};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use types::Secret;
use url::form_urlencoded;

use crate::problem::Problem;

/// The largest body of a form, in octets: of one that anybody may send, and of one behind a sign-in.
pub(crate) const OF_ANYONE: usize = 4 * 1024;
pub(crate) const OF_SIGNED_IN: usize = 64 * 1024;

/// The fields of a form that came from one of our pages. It may hold passwords, and does not say what it holds.
#[derive(Clone)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads the body of a form of so many octets at most.
    ///
    /// # Errors
    /// When it is none, or too large, or breaks off.
    pub(crate) async fn read(headers: &HeaderMap, body: Body, at_most: usize) -> Result<Self, Problem> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.split(';').next().map(str::trim) != Some("application/x-www-form-urlencoded") {
            return Err(Problem::UnsupportedMediaType);
        }
        let octets = to_bytes(body, at_most).await.map_err(|_| Problem::TooLarge)?;
        Ok(Self(form_urlencoded::parse(&octets).into_owned().collect()))
    }

    /// What is in this field, without blanks around it; nothing if it isn't there.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.first(name).trim()
    }

    /// What is in this field, to the letter, and not to be shown.
    pub(crate) fn secret(&self, name: &str) -> Secret {
        Secret::new(self.first(name))
    }

    /// What is in each of the fields of this name, without blanks around it.
    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }

    fn first(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fields(…)")
    }
}

/// They are there in a handler of POST: whoever checks its right has read them.
impl<S: Sync> FromRequestParts<S> for Fields {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or(Problem::UnsupportedMediaType)
    }
}
