//! What is counted of requests, for whoever watches the server.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use types::{Buckets, Tally};

/// The parts that a request may be for, by the first piece of the path of its route, and that of one without a route.
const PARTS: [&str; 7] = ["account", "admin", "api", "assets", "health", "metrics", "public"];

/// Counts since the server began. Every label is one of a few words, whatever is asked for.
#[derive(Debug)]
pub(crate) struct HttpCounters {
    /// Requests by part, method and class of the status.
    pub(crate) requests: Tally<(&'static str, &'static str, &'static str)>,
    /// How long answers took, by part.
    pub(crate) times: [(&'static str, Buckets); PARTS.len()],
}

impl Default for HttpCounters {
    fn default() -> Self {
        Self { requests: Tally::default(), times: PARTS.map(|part| (part, Buckets::of_time())) }
    }
}

impl HttpCounters {
    /// Counts an answer. The path is that of the route, as the table of routes has it.
    pub(crate) fn answered(&self, path: &str, method: &Method, status: StatusCode, took: Duration) {
        let part = part(path);
        self.requests.count((part, method_of(method), class(status)));
        if let Some((_, times)) = self.times.iter().find(|(name, _)| *name == part) {
            times.add_time(took);
        }
    }
}

fn part(path: &str) -> &'static str {
    let first = path.split('/').nth(1).unwrap_or_default();
    PARTS.into_iter().find(|part| *part == first).unwrap_or("public")
}

fn method_of(method: &Method) -> &'static str {
    match *method {
        Method::GET | Method::HEAD => "GET",
        Method::POST => "POST",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_asked_for_there_are_few_labels() {
        let counters = HttpCounters::default();
        for path in ["/account/messages/{id}", "/admin", "/", "-", "/x1", "/x2", "/sign-in"] {
            for method in ["GET", "HEAD", "BREW1", "BREW2"] {
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                counters.answered(path, &method, StatusCode::NOT_FOUND, Duration::from_millis(2));
            }
        }
        let totals = counters.requests.totals();
        let of = |part, method| totals.iter().find(|((p, m, _), _)| (*p, *m) == (part, method)).unwrap().1;
        assert_eq!((of("account", "GET"), of("public", "GET"), of("public", "other")), (2, 10, 10));
        assert_eq!(totals.len(), 6);
    }
}
