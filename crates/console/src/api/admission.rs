//! What stands before every handler of the API: the token and its scope, how many requests there were, and whether this one was made before.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use desk::{ShownToken, TokenOwner};

use jiff::Timestamp;
use tokio::time::Instant;
use types::{Scope, Secret};
use url::form_urlencoded;

use super::body::Sent;
use super::caller::Caller;
use super::codes;
use super::failure::Failure;
use super::idempotency;
use super::operation::{Operation, ParameterKind};
use crate::bearer;
use crate::console::Console;
use crate::right::Right;
use crate::visit::Visit;

/// Answers a request for this operation, if whoever makes it may.
pub(crate) async fn answer(
    console: &Arc<Console>,
    right: Right,
    operation: &Operation,
    request: Request,
    next: Next,
) -> Response {
    let (visit, shown) = (request.extensions().get().cloned(), bearer::shown(request.headers()));
    let caller = match identified(console, visit, shown).await {
        Ok(caller) => caller,
        Err(failure) => return failure.into_response(),
    };
    let left = match console.api_rates.count(caller.owner.id, operation.status == 201, Instant::now()) {
        Ok(left) => left,
        Err(failure) => return failure.into_response(),
    };
    let mut response = match admitted(right, operation, &caller, request).await {
        Ok(request) => idempotency::once(console, &caller, request, next).await,
        Err(failure) => failure.into_response(),
    };
    left.tell(response.headers_mut());
    response
}

/// Whose token it is. Cookies are not looked at: no page elsewhere can have a browser make a request that is taken.
async fn identified(
    console: &Console,
    visit: Option<Visit>,
    shown: Option<Secret>,
) -> Result<Caller, Failure> {
    let visit = visit.ok_or_else(Failure::not_found)?;
    let (ip, now) = (visit.facts.peer.ip(), visit.now);
    let shown = shown.ok_or_else(|| Failure::invalid_token(false))?;
    match console.desk().token_owner(&shown, ip).await? {
        ShownToken::Good(owner) => Ok(Caller { owner: *owner, ip, now }),
        ShownToken::Refused => Err(Failure::invalid_token(true)),
        ShownToken::Throttled { until } => {
            let wait = until.duration_since(now).try_into().unwrap_or_default();
            Err(Failure::too_many(wait))
        }
    }
}

/// The request with what its handler needs, if the token is for it and it is well formed.
async fn admitted(
    right: Right,
    operation: &Operation,
    caller: &Caller,
    request: Request,
) -> Result<Request, Failure> {
    match right {
        Right::Token(scope) => see_allowed(scope, caller)?,
        Right::Tokens(one, other) => {
            see_allowed(one, caller)?;
            see_allowed(other, caller)?;
        }
        Right::AnyToken => {}
        Right::Anyone
        | Right::Asset
        | Right::Problem
        | Right::Link
        | Right::SignedIn
        | Right::Admin
        | Right::Metrics
        | Right::Health
        | Right::Clients => {
            return Err(Failure::not_found());
        }
    }
    see_accepted(request.headers())?;
    see_known(operation, request.uri().query().unwrap_or_default())?;
    let (mut parts, body) = request.into_parts();
    let sent = Sent::read(&parts.method, &parts.headers, body, operation.body.is_some()).await?;
    parts.extensions.insert(caller.clone());
    parts.extensions.insert(sent);
    Ok(Request::from_parts(parts, Body::empty()))
}

/// Sees that the token is for this, and its owner may do it now.
fn see_allowed(scope: Scope, caller: &Caller) -> Result<(), Failure> {
    let TokenOwner { account, token, .. } = &caller.owner;
    match (caller.owner.may(scope), token.scopes.iter().any(|own| own.includes(scope))) {
        (true, _) => Ok(()),
        (false, false) => Err(Failure::missing_scope(scope)),
        (false, true) => Err(Failure::new(
            &codes::NOT_ADMINISTRATOR,
            format!(
                "{scope} is for administrators, which {} is not, or not without a second factor",
                account.address
            ),
        )),
    }
}

/// Sees that JSON is accepted (RFC 9110 section 12.5.1).
fn see_accepted(headers: &HeaderMap) -> Result<(), Failure> {
    let lines: Vec<_> =
        headers.get_all(header::ACCEPT).iter().filter_map(|line| line.to_str().ok()).collect();
    let ranges = lines.iter().flat_map(|line| line.split(',')).filter(|range| !range.trim().is_empty());
    let mut ranges = ranges.map(|range| range.split(';').next().unwrap_or_default().trim()).peekable();
    let is_json = |range: &str| ["*/*", "application/*", "application/json"].contains(&range);
    match ranges.peek().is_none() || ranges.any(is_json) {
        true => Ok(()),
        false => {
            Err(Failure::new(&codes::NOT_ACCEPTABLE, "answers are application/json, which is not accepted"))
        }
    }
}

/// Sees that each parameter is one that the operation takes, once, and written as it is to be: a filter that is mistyped would let all through.
fn see_known(operation: &Operation, query: &str) -> Result<(), Failure> {
    let mut seen = Vec::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let Some(parameter) = operation.parameters().find(|parameter| parameter.name == name) else {
            let known: Vec<_> = operation.parameters().map(|parameter| parameter.name).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Failure::parameter(&name, format!("is not known here; known are: {known}")));
        };
        if seen.contains(&parameter.name) {
            return Err(Failure::parameter(&name, "is there twice"));
        }
        seen.push(parameter.name);
        see_written(parameter.kind, &value).map_err(|detail| Failure::parameter(&name, detail))?;
    }
    Ok(())
}

/// Sees that this is what a parameter of this kind may be.
fn see_written(kind: ParameterKind, value: &str) -> Result<(), String> {
    match kind {
        ParameterKind::OneOf(words) if !words().contains(&value) => {
            Err(format!("write one of: {}", words().join(", ")))
        }
        ParameterKind::Time if value.parse::<Timestamp>().is_err() => {
            Err("write a time like 2027-01-31T12:00:00Z".to_owned())
        }
        ParameterKind::Limit if value.parse::<u32>().is_err() => Err("write a number".to_owned()),
        ParameterKind::Text | ParameterKind::Limit | ParameterKind::Time | ParameterKind::OneOf(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name.clone(), line.parse().unwrap());
        }
        headers
    }

    #[test]
    fn whoever_accepts_no_json_gets_none() {
        let is_taken = |lines: &[&str]| see_accepted(&headers(header::ACCEPT, lines)).is_ok();
        for taken in [&[][..], &[""], &["*/*"], &["text/html, application/json;q=0.5"], &["text/html", "*/*"]]
        {
            assert!(is_taken(taken), "{taken:?}");
        }
        assert!(!is_taken(&["text/html"]) && !is_taken(&["text/html,application/xml"]));
    }

    #[test]
    fn a_parameter_that_is_not_known_is_refused() {
        const LIST: Operation = Operation::new("list", "").filtered_by(&[
            super::super::operation::Parameter::text("q", ""),
            super::super::operation::Parameter::one_of("state", "", || vec!["held"]),
        ]);
        for (query, is_known) in [
            ("", true),
            ("q=", true),
            ("q=1&state=held", true),
            ("state=hold", false),
            ("q=1&q=2", false),
            ("stat=held", false),
        ] {
            assert_eq!(see_known(&LIST, query).is_ok(), is_known, "{query}");
        }
    }
}
