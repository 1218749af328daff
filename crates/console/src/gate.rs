//! What stands before every handler: the check of its right, and of the form token of whatever is sent to it.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::http::header::SET_COOKIE;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use types::{Scope, SecondFactorRule, WebPart};

use crate::account::second_factor;
use crate::api::admission;
use crate::bearer;
use crate::console::Console;
use crate::fields::{self, Fields};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::before;
use crate::session::cookie::Cookie;
use crate::session::current::{Administration, Current};
use crate::session::form_token::{FIELD, FormKey};
use crate::sign_out;
use crate::visit::Visit;

/// The path of a route as it is written in the table: for the log, which never has the path itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pattern(pub(crate) &'static str);

type Behind = (Arc<Console>, &'static Route);

/// Lets a request through to the handler of this route, if whoever makes it may.
pub(crate) async fn gate(State((console, route)): State<Behind>, request: Request, next: Next) -> Response {
    let jar = request.extensions().get::<Visit>().map(|visit| visit.jar.clone());
    let mut response = match &route.operation {
        _ if !is_there(route, &request) => Problem::NotFound.into_response(),
        Some(operation) => admission::answer(&console, route.right, operation, request, next).await,
        None => match admitted(&console, route, request).await {
            Ok(request) => next.run(request).await,
            Err(response) => response,
        },
    };
    if let Some(line) = jar.and_then(|jar| jar.take())
        && !response.headers().contains_key(SET_COOKIE)
    {
        response.headers_mut().insert(SET_COOKIE, line);
    }
    response.extensions_mut().insert(Pattern(route.path));
    response
}

/// Whether there is such a page where the request came, by the name that it came by.
fn is_there(route: &Route, request: &Request) -> bool {
    request.extensions().get::<Visit>().is_some_and(|visit| {
        let is_served = route.right.served_by().iter().any(|part| visit.is_served(*part));
        is_served && (visit.discovery.is_none() || route.right == Right::Clients)
    })
}

async fn admitted(console: &Console, route: &Route, mut request: Request) -> Result<Request, Response> {
    let mut visit: Visit =
        request.extensions().get().cloned().ok_or_else(|| Problem::NotFound.into_response())?;
    let key = match route.right {
        Right::Anyone => before::kept(Cookie::Before, request.headers(), &visit),
        Right::Link => before::kept(Cookie::Enrol, request.headers(), &visit),
        Right::Metrics if visit.is_of_this_machine() => None,
        Right::Metrics => {
            bearer::owner(console, request.headers(), &visit, Scope::MetricsRead).await?;
            None
        }
        Right::Asset | Right::Problem | Right::Health => None,
        Right::Clients => return Ok(request),
        // They go another way.
        Right::Token(_) | Right::Tokens(..) | Right::AnyToken => {
            return Err(Problem::NotFound.into_response());
        }
        Right::SignedIn | Right::Admin => {
            let current = Current::of(console, request.headers(), &visit).await;
            let current = current.map_err(Problem::into_response)?;
            let current = current.ok_or_else(|| Redirect::to("/sign-in").into_response())?;
            if let Some(answer) = instead(console, route, &visit, &current) {
                return Err(answer);
            }
            visit.texts = visit.texts.for_owner(&current.signed_in.account.preferences);
            request.extensions_mut().insert(visit);
            let key = current.form_key.clone();
            request.extensions_mut().insert(current);
            Some(key)
        }
    };
    match route.method == Method::POST {
        true => with_fields(request, route.right, key).await.map_err(Problem::into_response),
        false => Ok(request),
    }
}

/// What whoever is signed in is answered instead of a page that is not for them. Who lacks nothing but a second factor is led to where that
/// is told; where everybody needs one, to where it is set up.
fn instead(console: &Console, route: &Route, visit: &Visit, current: &Current) -> Option<Response> {
    if console.settings.second_factor == SecondFactorRule::Required && !current.signed_in.account.totp {
        let is_open = second_factor::SETTING_UP.contains(&route.path) || route.path == sign_out::PATH;
        return (!is_open).then(|| Redirect::to(second_factor::PATH).into_response());
    }
    // Where administration alone is served, nobody else has anything to look for; but whoever is in gets out.
    let is_for_administrators = !visit.is_served(WebPart::Account) && route.path != sign_out::PATH;
    if is_for_administrators && !current.signed_in.account.admin {
        return Some(Problem::NotFound.into_response());
    }
    match (route.right, current.administration(console, visit)) {
        (Right::Admin, Administration::Open) => None,
        (Right::Admin, Administration::NeedsSecondFactor) => Some(Redirect::to("/account").into_response()),
        (Right::Admin, Administration::None) => Some(Problem::NotFound.into_response()),
        (
            Right::Anyone
            | Right::Asset
            | Right::Problem
            | Right::Link
            | Right::SignedIn
            | Right::Metrics
            | Right::Health
            | Right::Clients
            | Right::Token(_)
            | Right::Tokens(..)
            | Right::AnyToken,
            _,
        ) => None,
    }
}

/// The request with the fields of its form, which have the token that only our own page could have put there.
async fn with_fields(request: Request, right: Right, key: Option<FormKey>) -> Result<Request, Problem> {
    let key = key.ok_or(Problem::Forbidden)?;
    let at_most = match right {
        Right::Anyone
        | Right::Asset
        | Right::Problem
        | Right::Link
        | Right::Metrics
        | Right::Health
        | Right::Clients
        | Right::Token(_)
        | Right::Tokens(..)
        | Right::AnyToken => fields::OF_ANYONE,
        Right::SignedIn | Right::Admin => fields::OF_SIGNED_IN,
    };
    let (mut parts, body) = request.into_parts();
    let fields = Fields::read(&parts.headers, body, at_most).await?;
    match key.fits(parts.uri.path(), fields.text(FIELD)) {
        true => {
            parts.extensions.insert(fields);
            Ok(Request::from_parts(parts, Body::empty()))
        }
        false => Err(Problem::Forbidden),
    }
}
