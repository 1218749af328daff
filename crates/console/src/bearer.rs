//! What a program shows of itself with a request: an API token, as `Authorization: Bearer`.

use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use desk::{ShownToken, TokenOwner};
use jiff::{SignedDuration, Timestamp};
use types::{Scope, Secret};

use crate::console::Console;
use crate::problem::Problem;
use crate::visit::Visit;

/// The token that a request shows (RFC 6750 section 2.1); `None` if it shows none.
pub(crate) fn shown(headers: &HeaderMap) -> Option<Secret> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| Secret::new(token.trim()))
}

/// Whose token a request shows, if it is good for this.
///
/// # Errors
/// The answer to whoever shows none, or one that is not good for it (RFC 6750 section 3).
pub(crate) async fn owner(
    console: &Console,
    headers: &HeaderMap,
    visit: &Visit,
    scope: Scope,
) -> Result<TokenOwner, Response> {
    let Some(token) = shown(headers) else { return Err(challenge(StatusCode::UNAUTHORIZED, "Bearer")) };
    let judged = console.desk().token_owner(&token, visit.facts.peer.ip()).await;
    match judged.map_err(|trouble| Problem::from(trouble).into_response())? {
        ShownToken::Good(owner) if owner.may(scope) => Ok(*owner),
        ShownToken::Good(_) => {
            let said = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
            Err(challenge(StatusCode::FORBIDDEN, &said))
        }
        ShownToken::Refused => Err(challenge(StatusCode::UNAUTHORIZED, "Bearer error=\"invalid_token\"")),
        ShownToken::Throttled { until } => Err(wait(until, visit.now)),
    }
}

fn challenge(status: StatusCode, said: &str) -> Response {
    (status, [(WWW_AUTHENTICATE, said)]).into_response()
}

fn wait(until: Timestamp, now: Timestamp) -> Response {
    let left = until.duration_since(now).max(SignedDuration::from_secs(1)).as_secs();
    (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, left.to_string())]).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_token_stands_behind_its_scheme_in_whatever_case() {
        let token = |value: &'static str| {
            let headers = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static(value))]);
            shown(&headers).and_then(|token| token.declassify_str().map(str::to_owned))
        };
        assert_eq!(token("Bearer gp_a").as_deref(), Some("gp_a"));
        assert_eq!(token("bearer  gp_a").as_deref(), Some("gp_a"));
        for other in ["gp_a", "Basic gp_a", "Bearergp_a", ""] {
            assert_eq!(token(other), None, "{other}");
        }
        assert!(shown(&HeaderMap::new()).is_none());
    }
}
