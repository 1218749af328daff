//! Cookies: what browsers keep for us, so that nobody else sets or reads it.
//!
//! Over HTTPS their names begin with `__Host-`, which browsers let only this very host set, and only over HTTPS. Over plain HTTP on loopback
//! there can be no such name; nothing of what is set there is taken elsewhere.

use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::AppendHeaders;

use crate::visit::Visit;

/// A cookie of ours, by what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// The token of a session.
    Session,
    /// What somebody holds whose code is still to come.
    Step,
    /// What ties a form to a browser before there is a session.
    Before,
    /// What ties the forms of a link to the browser that has opened it.
    Enrol,
}

/// What a browser is to keep from now on, if anything changes.
pub(crate) type NewCookie = AppendHeaders<Option<(HeaderName, HeaderValue)>>;

/// The header that has a browser keep this line of a cookie, or forget it.
pub(crate) fn new_cookie(line: HeaderValue) -> NewCookie {
    AppendHeaders(Some((header::SET_COOKIE, line)))
}

/// The longest value that is looked at, in octets.
const LONGEST: usize = 256;

impl Cookie {
    fn name(self, is_https: bool) -> &'static str {
        match (self, is_https) {
            (Cookie::Session, true) => "__Host-gatepost",
            (Cookie::Session, false) => "gatepost-local",
            (Cookie::Step, true) => "__Host-gatepost-step",
            (Cookie::Step, false) => "gatepost-local-step",
            (Cookie::Before, true) => "__Host-gatepost-before",
            (Cookie::Before, false) => "gatepost-local-before",
            (Cookie::Enrol, true) => "__Host-gatepost-enrol",
            (Cookie::Enrol, false) => "gatepost-local-enrol",
        }
    }

    /// What the browser has kept; `None` if nothing, or two things, one of which somebody else has set.
    pub(crate) fn read<'a>(self, headers: &'a HeaderMap, visit: &Visit) -> Option<&'a str> {
        let name = self.name(visit.is_https);
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.split_once('='));
        let mut values = pairs.filter(|(key, _)| key.trim() == name).map(|(_, value)| value.trim());
        values.next().filter(|value| values.next().is_none() && value.len() <= LONGEST)
    }

    /// Has the browser keep this until it is closed. The value is base64url.
    pub(crate) fn set(self, value: &str, visit: &Visit) -> HeaderValue {
        self.line(value, "", visit)
    }

    /// Has the browser forget it.
    pub(crate) fn end(self, visit: &Visit) -> HeaderValue {
        self.line("", "; Max-Age=0", visit)
    }

    fn line(self, value: &str, lifetime: &str, visit: &Visit) -> HeaderValue {
        let secure = if visit.is_https { "; Secure" } else { "" };
        let line = format!(
            "{}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{lifetime}",
            self.name(visit.is_https)
        );
        HeaderValue::from_str(&line).unwrap_or(HeaderValue::from_static(""))
    }
}
