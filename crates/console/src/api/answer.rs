//! What handlers of the API answer with when all is well.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::failure::Failure;
use crate::problem::Problem;

/// One object, with its entity tag.
#[derive(Debug)]
pub(crate) struct Shown<T>(pub(crate) T);

/// An object that was just made, and where it is.
#[derive(Debug)]
pub(crate) struct Made<T> {
    pub(crate) view: T,
    pub(crate) location: String,
}

/// It is done, and there is nothing to say of it.
#[derive(Debug)]
pub(crate) struct Done;

/// What may be kept of an answer, for whoever repeats the request: what it says without its secrets.
#[derive(Debug, Clone)]
pub(crate) struct Kept(pub(crate) Value);

/// Members that are shown once.
const SECRETS: [&str; 3] = ["password", "token", "secret"];

/// The entity tag of these octets: strong, for it is another as soon as one of them is (RFC 9110 section 8.8.3).
pub(crate) fn entity_tag(octets: &[u8]) -> String {
    let digest = Sha256::digest(octets);
    format!("\"{}\"", BASE64_URL_SAFE_NO_PAD.encode(digest.get(..16).unwrap_or_default()))
}

/// The entity tag that a view has when it is shown.
pub(crate) fn tag_of(view: &impl Serialize) -> Result<String, Failure> {
    Ok(entity_tag(&octets(view)?))
}

/// A view in JSON.
pub(crate) fn octets(view: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(view).map_err(|error| Problem::unavailable(&error).into())
}

/// An answer of JSON.
pub(crate) fn json(status: StatusCode, octets: Vec<u8>) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], octets).into_response()
}

impl<T: Serialize> IntoResponse for Shown<T> {
    fn into_response(self) -> Response {
        let octets = match octets(&self.0) {
            Ok(octets) => octets,
            Err(failure) => return failure.into_response(),
        };
        let tag = HeaderValue::from_str(&entity_tag(&octets));
        let mut response = json(StatusCode::OK, octets);
        if let Ok(tag) = tag {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}

impl<T: Serialize> IntoResponse for Made<T> {
    fn into_response(self) -> Response {
        let octets = match octets(&self.view) {
            Ok(octets) => octets,
            Err(failure) => return failure.into_response(),
        };
        let kept = serde_json::from_slice(&octets).map(without_secrets);
        let mut response = json(StatusCode::CREATED, octets);
        if let Ok(location) = HeaderValue::from_str(&self.location) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        if let Ok(kept) = kept {
            response.extensions_mut().insert(Kept(kept));
        }
        response
    }
}

impl IntoResponse for Done {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

/// A view as it is kept: its secrets are `null`. An account says by `password` whether it has one; that is none.
fn without_secrets(mut view: Value) -> Value {
    for (name, value) in view.as_object_mut().into_iter().flatten() {
        if SECRETS.contains(&name.as_str()) && value.is_string() {
            *value = Value::Null;
        }
    }
    view
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_entity_tag_is_another_as_soon_as_the_object_is() {
        let tag = |label: &str| tag_of(&json!({ "label": label })).unwrap();
        assert_eq!(tag("phone"), tag("phone"));
        assert_ne!(tag("phone"), tag("Phone"));
        assert!(tag("").len() == 24 && tag("").starts_with('"') && tag("").ends_with('"'));
    }

    #[test]
    fn nothing_secret_is_kept() {
        let made = json!({"id": "x", "password": "abcd", "token": "gp_x", "scopes": ["smtp"]});
        let kept = json!({"id": "x", "password": null, "token": null, "scopes": ["smtp"]});
        assert_eq!(without_secrets(made), kept);
        assert_eq!(without_secrets(json!({"password": true})), json!({"password": true}));
    }
}
