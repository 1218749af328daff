//! Signing out.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{HeaderValue, SET_COOKIE};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;

use crate::console::Console;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::cookie::Cookie;
use crate::session::current::Current;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/sign-out";

pub(crate) const ROUTES: &[Route] = &[Route::post(PATH, Right::SignedIn, |method| on(method, sign_out))];

/// What a browser has kept of our pages goes too.
const CLEAR: (&str, HeaderValue) = ("clear-site-data", HeaderValue::from_static("\"cache\""));

async fn sign_out(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    console.desk().sign_out(&current.act(&visit), &current.signed_in).await?;
    let cookie = (SET_COOKIE, Cookie::Session.end(&visit));
    Ok(([cookie], [CLEAR], Redirect::to("/sign-in")).into_response())
}
