//! What ties a form to a browser before there is a session, so that nobody is signed in to a stranger's account.

use axum::http::{HeaderMap, HeaderValue};
use axum::response::AppendHeaders;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

use super::cookie::{Cookie, NewCookie, new_cookie};
use super::form_token::FormKey;
use crate::console::Console;
use crate::frame::Frame;
use crate::visit::Visit;

/// Octets of chance: 128 bits.
const OCTETS: usize = 16;

/// The key of this browser's forms, if it has kept one in this cookie.
pub(crate) fn kept(cookie: Cookie, headers: &HeaderMap, visit: &Visit) -> Option<FormKey> {
    value(cookie, headers, visit).map(FormKey::of)
}

/// A frame around a page whose forms this cookie ties to the browser, and the cookie, where it has none yet.
pub(crate) fn frame(
    cookie: Cookie,
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
) -> (Frame, NewCookie) {
    let (key, new) = kept_or_new(cookie, headers, visit);
    (Frame::outside(console, visit).with_form(key), new.map_or(AppendHeaders(None), new_cookie))
}

/// The key of this browser's forms, and the cookie to set where it has none yet.
fn kept_or_new(cookie: Cookie, headers: &HeaderMap, visit: &Visit) -> (FormKey, Option<HeaderValue>) {
    match value(cookie, headers, visit) {
        Some(value) => (FormKey::of(value), None),
        None => {
            let value = BASE64URL.encode(rand::random::<[u8; OCTETS]>());
            (FormKey::of(&value), Some(cookie.set(&value, visit)))
        }
    }
}

/// What this browser has kept in this cookie.
pub(crate) fn value<'a>(cookie: Cookie, headers: &'a HeaderMap, visit: &Visit) -> Option<&'a str> {
    let value = cookie.read(headers, visit)?;
    BASE64URL.decode(value).is_ok_and(|octets| octets.len() == OCTETS).then_some(value)
}
