//! What a request has the browser keep, whatever becomes of its answer: a session that has got another token is lost to a browser that still has
//! the old one.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderValue;

/// The cookie that an answer sets, once one is known. A clone is another handle to the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jar(Arc<Mutex<Option<HeaderValue>>>);

impl Jar {
    /// Has the browser keep this line of a cookie, unless the answer sets one itself.
    pub(crate) fn put(&self, line: HeaderValue) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
    }

    /// The line, once.
    pub(crate) fn take(&self) -> Option<HeaderValue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
