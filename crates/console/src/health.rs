//! `/health/live` and `/health/ready`: whether the server lives, and can do its work, for programs that watch over it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;
use desk::health::LightState;
use desk::view::Light;
use serde::Serialize;
use types::Scope;

use crate::bearer;
use crate::console::Console;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/health/live", Right::Health, |method| on(method, live)),
    Route::get("/health/ready", Right::Health, |method| on(method, ready)),
];

/// Whether the server can do its work.
#[derive(Serialize)]
struct Ready<'a> {
    ready: bool,
    /// A word for each light.
    lights: BTreeMap<&'a str, LightState>,
    /// What they say; for programs on this machine, or with a token for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a [Light]>,
}

async fn live() -> Response {
    ([(CONTENT_TYPE, "text/plain; charset=utf-8")], "live\n").into_response()
}

/// 200 once every listener is bound and the store takes writes, which was seen a few seconds ago at most; 503 otherwise.
async fn ready(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let health = &console.watched.health;
    let fresh = health.fresh().await;
    let is_ready = fresh.as_ref().is_some_and(|known| known.is_ready);
    let known = fresh.unwrap_or_else(|| health.known());
    let lights = &known.status.lights;
    let may_see_details = visit.is_of_this_machine() || may_read(&console, &visit, &headers).await;
    let body = Ready {
        ready: is_ready,
        lights: lights.iter().map(|light| (light.name.as_str(), light.state)).collect(),
        details: may_see_details.then_some(lights.as_slice()),
    };
    let body = serde_json::to_string(&body).map_err(|error| Problem::unavailable(&error))?;
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok((status, [(CONTENT_TYPE, "application/json")], body).into_response())
}

/// Whether the request shows a token with `health:read`. One that is no good is counted against its network, and is answered as none is.
async fn may_read(console: &Console, visit: &Visit, headers: &HeaderMap) -> bool {
    bearer::owner(console, headers, visit, Scope::HealthRead).await.is_ok()
}
