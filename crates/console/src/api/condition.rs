//! Changes for whoever knows what they change: `If-Match` (RFC 9110 section 13.1.1), which accounts and limits need.

use axum::extract::FromRequestParts;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use serde::Serialize;

use super::answer::tag_of;
use super::codes;
use super::failure::Failure;

/// What the request takes the object to be.
#[derive(Debug)]
pub(crate) struct IfMatch(String);

impl IfMatch {
    /// Sees that the object is still what it is taken for.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn see(&self, now: &impl Serialize) -> Result<(), Failure> {
        let now = tag_of(now)?;
        // A weak tag matches nothing: the comparison is the strong one.
        match self.0.split(',').map(str::trim).any(|tag| tag == "*" || tag == now) {
            true => Ok(()),
            false => Err(Failure::new(
                &codes::PRECONDITION_FAILED,
                "the object is not what If-Match says any more; get it again",
            )),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let lines = parts.headers.get_all(IF_MATCH).iter().filter_map(|line| line.to_str().ok());
        let lines: Vec<_> = lines.filter(|line| !line.trim().is_empty()).collect();
        match lines.is_empty() {
            true => Err(Failure::new(
                &codes::PRECONDITION_REQUIRED,
                "send the ETag of the object as If-Match, so that nobody's change is lost",
            )),
            false => Ok(Self(lines.join(","))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tag_of_now_or_a_star_matches() {
        let tag = tag_of(&1).unwrap();
        for (said, is_right) in [
            (tag.clone(), true),
            (format!("\"x\", {tag}"), true),
            ("*".to_owned(), true),
            (format!("W/{tag}"), false),
            ("\"x\"".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(IfMatch(said.clone()).see(&1).is_ok(), is_right, "{said}");
        }
    }
}
