//! Whoever is signed in, as the cookie of a request says.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use desk::SignedIn;
use store::Act;
use types::WebPart;

use super::cookie::Cookie;
use super::form_token::FormKey;
use crate::console::Console;
use crate::problem::Problem;
use crate::visit::Visit;

pub(crate) use auth::SessionToken;

/// Whoever is signed in. A handler of a route that is for those alone finds it; what is shown has it from here, never from the path.
#[derive(Debug, Clone)]
pub(crate) struct Current {
    /// The account and the session, as they are now.
    pub(crate) signed_in: SignedIn,
    /// What opens the session.
    pub(crate) token: SessionToken,
    /// What makes the tokens of the forms of this session.
    pub(crate) form_key: FormKey,
}

/// What whoever is signed in sees of administration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Administration {
    /// Nothing: they are no administrator, or it is not served here.
    None,
    /// Nothing, before they have a second factor.
    NeedsSecondFactor,
    /// Its pages.
    Open,
}

impl Current {
    /// Whoever is signed in; `None` if nobody is.
    ///
    /// # Errors
    /// When the store can't tell.
    pub(crate) async fn of(
        console: &Console,
        headers: &HeaderMap,
        visit: &Visit,
    ) -> Result<Option<Self>, Problem> {
        let Some(token) = Cookie::Session.read(headers, visit).and_then(SessionToken::parse) else {
            return Ok(None);
        };
        let desk = console.desk();
        let Some(signed_in) = desk.signed_in(&token).await? else { return Ok(None) };
        let form_key = FormKey::of(desk.session_form_key(signed_in.session.id).await?);
        Ok(Some(Self { signed_in, token, form_key }))
    }

    /// What they see of administration in this request.
    pub(crate) fn administration(&self, console: &Console, visit: &Visit) -> Administration {
        let account = &self.signed_in.account;
        match account.admin && visit.is_served(WebPart::Admin) {
            false => Administration::None,
            true if console.desk().may_administer(account) => Administration::Open,
            true => Administration::NeedsSecondFactor,
        }
    }

    /// What they do in this request.
    pub(crate) fn act(&self, visit: &Visit) -> Act {
        self.signed_in.act(visit.facts.peer.ip(), visit.now)
    }
}

/// It is there in a handler whose route is for those who are signed in.
impl<S: Sync> FromRequestParts<S> for Current {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().ok_or(Problem::NotFound)
    }
}
