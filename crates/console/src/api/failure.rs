//! Why a request to the API was not answered as it was meant to be: problem details (RFC 9457).

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use desk::Trouble;
use serde::Serialize;
use types::{Endpoint, Scope};

use super::codes::{self, Kind};
use crate::problem::Problem;

/// The media type of problem details (RFC 9457 section 3).
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// Why not.
///
/// As an answer it has no body yet: that is made last, with the identifier of the request ([`Failure::body`]).
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    kind: &'static Kind,
    /// The code of a trouble that this interface has no kind for.
    code: &'static str,
    detail: String,
    errors: Vec<Wrong>,
    header: Option<Box<(HeaderName, String)>>,
    /// What is behind it, for the log alone.
    behind: Option<String>,
}

/// What is wrong with a part of the request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Wrong {
    /// The member of the body, as a JSON pointer (RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pointer: Option<String>,
    /// The parameter behind the question mark.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parameter: Option<String>,
    /// What is wrong with it, and what to write.
    pub(crate) detail: String,
}

/// Problem details, as they are sent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Details<'a> {
    /// A page that says what this problem means.
    r#type: String,
    /// What is wrong, in the words that stand for this problem.
    title: &'a str,
    /// The status of the answer.
    status: u16,
    /// What is wrong this time.
    detail: &'a str,
    /// The problem for programs: it stays the same.
    code: &'a str,
    /// The identifier of the request, by which the log of the server has it.
    request: &'a str,
    /// What is wrong with which part of the request.
    #[serde(skip_serializing_if = "<[Wrong]>::is_empty")]
    errors: &'a [Wrong],
}

impl Failure {
    /// This kind of problem, in these words.
    pub(crate) fn new(kind: &'static Kind, detail: impl Into<String>) -> Self {
        Self { kind, code: kind.code, detail: detail.into(), errors: Vec::new(), header: None, behind: None }
    }

    /// There is no such thing, or it is another's.
    pub(crate) fn not_found() -> Self {
        Self::new(&codes::NOT_FOUND, "there is nothing at this path, or it is another account's")
    }

    /// A member of the body, named by a JSON pointer, can't be what it is.
    pub(crate) fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let wrong = Wrong { pointer: Some(pointer.into()), parameter: None, detail: detail.into() };
        Self { errors: vec![wrong], ..Self::new(&codes::INVALID, "a member of the body is not valid") }
    }

    /// A parameter can't be what it is.
    pub(crate) fn parameter(name: &str, detail: impl Into<String>) -> Self {
        let wrong = Wrong { pointer: None, parameter: Some(name.to_owned()), detail: detail.into() };
        Self { errors: vec![wrong], ..Self::new(&codes::INVALID, "a parameter is not valid") }
    }

    /// The same of members that stood behind the question mark.
    pub(crate) fn of_parameters(self) -> Self {
        let of = |wrong: Wrong| {
            let name = wrong.pointer.map(|pointer| pointer.trim_start_matches('/').to_owned());
            Wrong { pointer: None, parameter: name, ..wrong }
        };
        let errors = self.errors.into_iter().map(of).collect();
        Self { errors, detail: "a parameter is not valid".to_owned(), ..self }
    }

    /// There is no token, or none that is good here and now (RFC 6750 section 3). Why is not told.
    pub(crate) fn invalid_token(is_given: bool) -> Self {
        let challenge = if is_given { "Bearer error=\"invalid_token\"" } else { "Bearer" };
        let failure = Self::new(&codes::INVALID_TOKEN, "there is no token that is good here and now");
        failure.with_header(header::WWW_AUTHENTICATE, challenge.to_owned())
    }

    /// The token is not for this.
    pub(crate) fn missing_scope(scope: Scope) -> Self {
        let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
        let failure = Self::new(&codes::MISSING_SCOPE, format!("this needs a token with the scope {scope}"));
        failure.with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// There were too many requests of this kind.
    pub(crate) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        let detail = format!("there were too many requests; wait for {seconds} seconds");
        Self::new(&codes::TOO_MANY_REQUESTS, detail).with_header(header::RETRY_AFTER, seconds.to_string())
    }

    fn with_header(self, name: HeaderName, value: String) -> Self {
        Self { header: Some(Box::new((name, value))), ..self }
    }

    fn unavailable(error: &str) -> Self {
        let failure = Self::new(&codes::UNAVAILABLE, "the server can't do it now");
        Self { behind: Some(error.to_owned()), ..failure }
    }

    /// What is behind our own trouble, for the log.
    pub(crate) fn behind(&self) -> Option<&str> {
        self.behind.as_deref()
    }

    /// The body of the answer to the request with this identifier; pages are below `base`.
    pub(crate) fn body(&self, base: &Endpoint, request: &str) -> Body {
        let details = Details {
            r#type: format!("{}/problems/{}", base.to_string().trim_end_matches('/'), self.code),
            title: self.kind.title,
            status: self.kind.status,
            detail: &self.detail,
            code: self.code,
            request,
            errors: &self.errors,
        };
        serde_json::to_vec(&details).map(Body::from).unwrap_or_default()
    }
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match (&trouble, codes::of(trouble.code())) {
            (Trouble::Unavailable(_), _) => Problem::unavailable(&trouble).into(),
            (_, Some(kind)) => Self::new(kind, trouble.to_string()),
            (_, None) => Self { code: trouble.code(), ..Self::new(&codes::CONFLICT, trouble.to_string()) },
        }
    }
}

/// What was refused before it came to a handler, below the path of the API.
impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::NotFound => Self::not_found(),
            Problem::MethodNotAllowed => {
                Self::new(&codes::METHOD_NOT_ALLOWED, "this path is not to be asked for by this method")
            }
            Problem::Forbidden => Self::new(&codes::NOT_FOUND, "there is nothing at this path"),
            Problem::Misdirected => {
                Self::new(&codes::MISDIRECTED, "the request is for a name that is none of this server's")
            }
            Problem::UnsupportedMediaType => {
                Self::new(&codes::UNSUPPORTED_MEDIA_TYPE, "the body is not said to be application/json")
            }
            Problem::TooLarge => Self::new(&codes::TOO_LARGE, "the body has more than 64 KiB"),
            Problem::TimedOut => Self::new(&codes::TIMED_OUT, "the request has taken more than 30 seconds"),
            Problem::TooMany { wait } => Self::too_many(wait),
            Problem::Unavailable { error } => Self::unavailable(&error),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.kind.status().into_response();
        if let Some((name, value)) = self.header.as_deref()
            && let Ok(value) = HeaderValue::from_str(value)
        {
            response.headers_mut().insert(name.clone(), value);
        }
        response.extensions_mut().insert(self);
        response
    }
}
