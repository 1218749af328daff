//! Requests that may be repeated: a POST with an `Idempotency-Key` does what it does once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use store::{KnownRequest, RequestName, StoredAnswer};
use tokio::time::timeout;

use super::answer::{Kept, json};
use super::body::Sent;
use super::caller::Caller;
use super::codes;
use super::failure::Failure;
use crate::console::Console;
use crate::problem::Problem;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The longest key, in characters.
const LONGEST: usize = 128;

/// How long a request may run when whoever made it waits no more: shorter than one without an answer is taken to be running, so that none is
/// begun twice at a time.
const LONGEST_RUN: Duration = Duration::from_secs(60);

/// The largest answer that is kept, in octets; there is none that comes near it.
const LARGEST: usize = 1024 * 1024;

/// Has the handler answer the request, unless it was answered before.
pub(crate) async fn once(console: &Arc<Console>, caller: &Caller, request: Request, next: Next) -> Response {
    let name = match key(&request) {
        Ok(Some(key)) => RequestName { token: caller.owner.id, key },
        Ok(None) => return next.run(request).await,
        Err(failure) => return failure.into_response(),
    };
    // It goes on although whoever asks does not wait: what was begun has an end that can be told to whoever asks again.
    let (console, begun_at) = (Arc::clone(console), caller.now);
    let done = tokio::spawn(async move { begun(&console, &name, begun_at, request, next).await });
    match done.await {
        Ok(response) => response,
        Err(error) => Failure::from(Problem::unavailable(&error)).into_response(),
    }
}

/// The key of the request; only a POST has need of one.
fn key(request: &Request) -> Result<Option<String>, Failure> {
    let mut lines = request.headers().get_all(KEY).iter();
    let Some(first) = lines.next().filter(|_| *request.method() == Method::POST) else { return Ok(None) };
    let key = first.to_str().ok().filter(|key| {
        (1..=LONGEST).contains(&key.len()) && key.bytes().all(|octet| (b' '..=b'~').contains(&octet))
    });
    match (key, lines.next()) {
        (Some(key), None) => Ok(Some(key.to_owned())),
        _ => Err(Failure::parameter(
            KEY.as_str(),
            format!("write one key of 1 to {LONGEST} printable characters of ASCII"),
        )),
    }
}

async fn begun(
    console: &Console,
    name: &RequestName,
    begun_at: Timestamp,
    request: Request,
    next: Next,
) -> Response {
    let desk = console.desk();
    match desk.begin_request(name, &digest(&request), begun_at).await {
        Err(trouble) => Failure::from(trouble).into_response(),
        Ok(KnownRequest::Answered(answer)) => replayed(answer),
        Ok(KnownRequest::Another) => Failure::new(
            &codes::KEY_REUSED,
            "this Idempotency-Key was used for a request with another method, path or body",
        )
        .into_response(),
        Ok(KnownRequest::Running) => {
            Failure::new(&codes::RUNNING, "the request with this Idempotency-Key has not been answered yet")
                .into_response()
        }
        Ok(KnownRequest::New) => done(console, name, begun_at, request, next).await,
    }
}

/// Has it done, and keeps what came of it.
async fn done(
    console: &Console,
    name: &RequestName,
    begun_at: Timestamp,
    request: Request,
    next: Next,
) -> Response {
    let desk = console.desk();
    let Ok(response) = timeout(LONGEST_RUN, next.run(request)).await else {
        // Nobody knows how far it came. It stays under way until it is taken to be abandoned, as one that the server was stopped in is.
        return Failure::from(Problem::TimedOut).into_response();
    };
    let (response, answer) = kept(response).await;
    let noted = match &answer {
        Some(answer) => desk.finish_request(name, begun_at, answer).await,
        None => desk.forget_request(name, begun_at).await,
    };
    if let Err(trouble) = noted {
        // What was asked for is done or not, as the answer says; only a repetition would not know it.
        tracing::error!(event = "web.unavailable", error = %trouble, "an answer could not be kept");
    }
    response
}

/// Everything of a request but its name.
fn digest(request: &Request) -> [u8; 32] {
    let body = request.extensions().get::<Sent>().map(|Sent(octets)| octets.clone()).unwrap_or_default();
    let mut hash = Sha256::new();
    for part in [request.method().as_str().as_bytes(), request.uri().to_string().as_bytes(), &body] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The answer, and what is kept of it; a failure is not kept, for nothing was done.
async fn kept(response: Response) -> (Response, Option<StoredAnswer>) {
    if !response.status().is_success() {
        return (response, None);
    }
    let status = response.status().as_u16();
    let (parts, body) = response.into_parts();
    let Ok(octets) = to_bytes(body, LARGEST).await else {
        return (Response::from_parts(parts, Body::empty()), None);
    };
    let shown = parts.extensions.get::<Kept>().and_then(|Kept(view)| serde_json::to_vec(view).ok());
    let answer = StoredAnswer { status, body: shown.unwrap_or_else(|| octets.to_vec()) };
    (Response::from_parts(parts, Body::from(octets)), Some(answer))
}

/// The same answer. What was made is not made again, so that it is only shown.
fn replayed(StoredAnswer { status, body }: StoredAnswer) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let status = if status == StatusCode::CREATED { StatusCode::OK } else { status };
    let mut response = if body.is_empty() { status.into_response() } else { json(status, body) };
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
