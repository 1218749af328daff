//! The body of a request: one JSON value, of which each member is known.

use axum::body::{Body as AxumBody, Bytes, to_bytes};
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

use super::codes;
use super::failure::Failure;
use crate::problem::Problem;

/// The largest body, in octets.
const LARGEST: usize = 64 * 1024;

/// How deep objects and lists may be nested in each other.
const DEEPEST: usize = 64;

/// The octets of a body that has come whole, and is JSON as far as its kind and its depth go.
#[derive(Debug, Clone)]
pub(crate) struct Sent(pub(crate) Bytes);

impl Sent {
    /// Reads a body.
    ///
    /// # Errors
    /// When it is too large, breaks off, or is of another kind.
    pub(crate) async fn read(
        method: &Method,
        headers: &HeaderMap,
        body: AxumBody,
        is_wanted: bool,
    ) -> Result<Self, Failure> {
        let octets = to_bytes(body, LARGEST).await.map_err(|_| Failure::from(Problem::TooLarge))?;
        match (is_wanted, octets.is_empty()) {
            (false, true) => return Ok(Self(octets)),
            (false, false) => return Err(Failure::invalid("", "this request takes no body")),
            (true, _) => {}
        }
        if !is_json(method, headers) {
            return Err(Problem::UnsupportedMediaType.into());
        }
        if depth(&octets) > DEEPEST {
            return Err(Failure::new(
                &codes::NOT_JSON,
                format!("the body is nested deeper than {DEEPEST} levels"),
            ));
        }
        Ok(Self(octets))
    }
}

/// Whether the body is said to be JSON; PATCH takes a merge patch (RFC 7396), and calls it JSON or what it is.
fn is_json(method: &Method, headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (*method == Method::PATCH && kind == "application/merge-patch+json")
}

/// How deep it is nested at most. Brackets in a text don't count.
fn depth(json: &[u8]) -> usize {
    let (mut now, mut most, mut in_text, mut is_escaped) = (0usize, 0, false, false);
    for octet in json {
        match (in_text, octet) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'[' | b'{') => {
                now += 1;
                most = most.max(now);
            }
            (false, b']' | b'}') => now = now.saturating_sub(1),
            (true | false, _) => {}
        }
    }
    most
}

/// The body as this. A member that is not known, or twice there, is an error.
#[derive(Debug)]
pub(crate) struct Body<T>(pub(crate) T);

impl<S: Sync, T: DeserializeOwned> FromRequestParts<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let Sent(octets) = parts.extensions.get().ok_or(Problem::UnsupportedMediaType)?;
        understood(octets).map(Body)
    }
}

fn understood<T: DeserializeOwned>(octets: &[u8]) -> Result<T, Failure> {
    if octets.trim_ascii_start().first() != Some(&b'{') {
        // A list would do for an object whose members stand in the same order.
        serde_json::from_slice::<IgnoredAny>(octets).map_err(|error| refused(&error, String::new()))?;
        return Err(Failure::invalid("", "write an object"));
    }
    let mut reader = serde_json::Deserializer::from_slice(octets);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        refused(error.inner(), pointer)
    })?;
    reader.end().map(|()| value).map_err(|error| refused(&error, String::new()))
}

/// A value as this, by the same rules.
///
/// # Errors
/// When it is not.
pub(crate) fn read_value<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_path_to_error::deserialize(value).map_err(|error| refused(error.inner(), pointer(error.path())))
}

fn refused(error: &serde_json::Error, pointer: String) -> Failure {
    match error.classify() {
        Category::Data => Failure::invalid(pointer, error.to_string()),
        Category::Syntax | Category::Eof | Category::Io => Failure::new(&codes::NOT_JSON, error.to_string()),
    }
}

/// A JSON pointer (RFC 6901 section 3).
fn pointer(path: &Path) -> String {
    let names = path.iter().map(|segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } | Segment::Enum { variant: key } => {
            format!("/{}", key.replace('~', "~0").replace('/', "~1"))
        }
        Segment::Unknown => String::new(),
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        #[serde(default)]
        numbers: Vec<u8>,
    }

    /// The body of the problem that comes of this body.
    fn told(body: &str) -> String {
        let failure = understood::<Sample>(body.as_bytes()).map(|sample| sample.numbers).unwrap_err();
        format!("{failure:?}")
    }

    #[test]
    fn what_is_wrong_is_told_with_where_it_is() {
        assert_eq!(understood::<Sample>(b" {\"numbers\": [1, 2]} ").unwrap().numbers, [1, 2]);
        let wrong = told("{\"numbers\": [1, 256]}");
        assert!(wrong.contains("\"/numbers/1\"") && wrong.contains("code: \"invalid\""), "{wrong}");
        assert!(told("{\"nubmers\": []}").contains("\"/nubmers\""), "{}", told("{\"nubmers\": []}"));
        for other in ["[]", "[[1, 2]]", "1", "null", "\"x\""] {
            assert!(told(other).contains("write an object"), "{other}: {}", told(other));
        }
        for text in ["", "{", "{\"numbers\": [1,]}", "{} {}", "\u{feff}{}"] {
            assert!(told(text).contains("code: \"not-json\""), "{text}: {}", told(text));
        }
    }

    #[test]
    fn depth_is_that_of_brackets_outside_of_texts() {
        assert_eq!(depth(b"[{\"a\": [\"[[[\\\"[[\"]}]"), 3);
        assert_eq!(depth(&[b'['; 100_000]), 100_000);
        assert_eq!(depth(b"]]]]"), 0);
    }

    #[test]
    fn json_is_what_says_so() {
        let says = |method: Method, kind: &'static str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
            is_json(&method, &headers)
        };
        assert!(
            says(Method::POST, "application/json") && says(Method::POST, "Application/JSON; charset=utf-8")
        );
        assert!(says(Method::PATCH, "application/merge-patch+json"));
        assert!(!says(Method::POST, "application/merge-patch+json") && !says(Method::POST, "text/plain"));
    }
}
