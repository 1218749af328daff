//! Confirming that it is still the owner who is signed in, inside of the form that needs it: password, and code if there is one, whenever the
//! session has not shown them for ten minutes. Nothing that was typed is lost, and there is no other page to go to.

use auth::{NotConfirmed, Origin};
use axum::http::StatusCode;
use axum::response::AppendHeaders;
use jiff::SignedDuration;
use types::Secret;

use super::cookie::{Cookie, NewCookie, new_cookie};
use super::current::Current;
use crate::console::Console;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::shown::time::end_of_wait;
use crate::visit::Visit;

/// How long a confirmation is good. Signing in is one.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(10);

/// The part of a form that asks for the password.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfirmForm {
    /// Whether it is asked at all.
    pub(crate) is_needed: bool,
    /// Whether the code of a second factor is asked, too.
    pub(crate) needs_code: bool,
    /// What was wrong with what was typed.
    pub(crate) wrong: Option<String>,
}

impl ConfirmForm {
    /// As a form asks it that is shown for the first time.
    pub(crate) fn of(current: &Current, visit: &Visit) -> Self {
        let needs_code = current.signed_in.account.totp;
        Self { is_needed: !is_confirmed(current, visit), needs_code, wrong: None }
    }

    /// As a form asks it that is not content with a confirmation of a while ago.
    pub(crate) fn always(current: &Current) -> Self {
        Self { is_needed: true, needs_code: current.signed_in.account.totp, wrong: None }
    }
}

fn is_confirmed(current: &Current, visit: &Visit) -> bool {
    let ago = visit.now.duration_since(current.signed_in.session.confirmed_at);
    ago >= SignedDuration::ZERO && ago < GOOD_FOR
}

/// What came of asking.
pub(crate) enum Asked {
    /// It is the owner; with the session as it is now, and the cookie of its new token, if it has got one.
    Yes(Box<Current>, NewCookie),
    /// It is not, as far as can be told; the form is shown again, with this status.
    No(ConfirmForm, StatusCode),
}

/// Sees that the owner confirms what this form does. The session gets another token for it, so that a stolen one is worth nothing any more.
///
/// # Errors
/// When the store can't tell, or the session has ended meanwhile.
pub(crate) async fn ask(
    console: &Console,
    visit: &Visit,
    current: Current,
    fields: &Fields,
) -> Result<Asked, Problem> {
    match is_confirmed(&current, visit) {
        true => Ok(Asked::Yes(Box::new(current), AppendHeaders(None))),
        false => ask_anew(console, visit, current, fields).await,
    }
}

/// Sees that the owner confirms what this form does, however lately something else was confirmed.
///
/// # Errors
/// As [`ask`].
pub(crate) async fn ask_anew(
    console: &Console,
    visit: &Visit,
    current: Current,
    fields: &Fields,
) -> Result<Asked, Problem> {
    let account = &current.signed_in.account;
    let code = Some(fields.text("confirm_code")).filter(|code| !code.is_empty()).map(Secret::new);
    let judged =
        console.judge.confirm(account, fields.secret("confirm"), code, &Origin::web(&visit.facts)).await;
    match judged {
        Ok(()) => renewed(console, visit, current).await,
        Err(not) => Ok(refused(&not, &current, visit)),
    }
}

async fn renewed(console: &Console, visit: &Visit, current: Current) -> Result<Asked, Problem> {
    let token = console.desk().renew_session(&current.token, &current.signed_in).await?;
    let token = token.ok_or(Problem::Forbidden)?;
    let cookie = keep(&token.declassify(), visit);
    Ok(Asked::Yes(Box::new(Current { token, ..current }), cookie))
}

/// Has the browser keep this token of its session.
pub(crate) fn keep(token: &str, visit: &Visit) -> NewCookie {
    let line = Cookie::Session.set(token, visit);
    // Also if the answer becomes another than the handler means.
    visit.jar.put(line.clone());
    new_cookie(line)
}

fn refused(not: &NotConfirmed, current: &Current, visit: &Visit) -> Asked {
    let t = visit.texts;
    let (wrong, status) = match not {
        NotConfirmed::Wrong => (t.not_confirmed().to_owned(), StatusCode::UNPROCESSABLE_ENTITY),
        NotConfirmed::NeedsCode => (t.code_is_missing().to_owned(), StatusCode::UNPROCESSABLE_ENTITY),
        NotConfirmed::Throttled { until } => {
            (t.too_many_tries(end_of_wait(*until, visit.now, t)), StatusCode::TOO_MANY_REQUESTS)
        }
        NotConfirmed::Unavailable => (t.not_judged().to_owned(), StatusCode::SERVICE_UNAVAILABLE),
    };
    let needs_code = current.signed_in.account.totp;
    Asked::No(ConfirmForm { is_needed: true, needs_code, wrong: Some(wrong) }, status)
}
