//! What went wrong with a request as a whole, and the page that says so.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use desk::Trouble;

use crate::texts::Texts;

/// What went wrong with a request as a whole. What is wrong with a form is told in the form.
///
/// As an answer it has no page yet: that is made last, in the language of the request (`site.rs`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// There is no such page, or not for whoever asks.
    NotFound,
    /// The page is there, and not to be asked for in this way.
    MethodNotAllowed,
    /// The request comes from another site, or from a form that is too old.
    Forbidden,
    /// The request is for a name that is none of ours.
    Misdirected,
    /// A body that is no form.
    UnsupportedMediaType,
    /// A body that no form has.
    TooLarge,
    /// The request has not come to its end in time.
    TimedOut,
    /// Too many requests, or too many tries: none is taken before this has passed.
    TooMany {
        /// How long to wait.
        wait: Duration,
    },
    /// Our own trouble: what is behind it, for the log alone.
    Unavailable {
        /// What is behind it.
        error: String,
    },
}

impl Problem {
    /// Our own trouble.
    pub(crate) fn unavailable(error: &dyn std::error::Error) -> Self {
        let errors = std::iter::successors(Some(error), |error| error.source());
        let errors: Vec<_> = errors.map(ToString::to_string).collect();
        Self::Unavailable { error: errors.join(": ") }
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Problem::NotFound => StatusCode::NOT_FOUND,
            Problem::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Problem::Forbidden => StatusCode::FORBIDDEN,
            Problem::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Problem::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Problem::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Problem::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Problem::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Problem::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// A title, and what can be done.
    pub(crate) fn words(&self, t: Texts) -> (&'static str, &'static str) {
        match self {
            Problem::NotFound => (t.not_found(), t.not_found_more()),
            Problem::MethodNotAllowed => (t.method_not_allowed(), t.method_not_allowed_more()),
            Problem::Forbidden => (t.forbidden(), t.forbidden_more()),
            Problem::Misdirected => (t.misdirected(), t.misdirected_more()),
            Problem::UnsupportedMediaType | Problem::TooLarge => (t.no_form(), t.no_form_more()),
            Problem::TimedOut => (t.timed_out(), t.timed_out_more()),
            Problem::TooMany { .. } => (t.too_many(), t.too_many_more()),
            Problem::Unavailable { .. } => (t.unavailable(), t.nothing_was_changed()),
        }
    }
}

impl From<Trouble> for Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Missing(_) => Problem::NotFound,
            other => Problem::unavailable(&other),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        if let Problem::TooMany { wait } = &self {
            let seconds = HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response.extensions_mut().insert(self);
        response
    }
}
