//! The second factor of one's own: switched on by a code of the app, its recovery codes shown once, switched off again.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{Trouble, view};
use types::{SecondFactorRule, Secret};
use zeroize::Zeroizing;

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::{Current, SessionToken};
use crate::shown::qr::Qr;
use crate::shown::seed::grouped;
use crate::shown::time::{Time, end_of_wait};
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account/second-factor";
const PREPARE: &str = "/account/second-factor/prepare";
const CONFIRM: &str = "/account/second-factor/confirm";
const CODES: &str = "/account/second-factor/codes";
const OFF: &str = "/account/second-factor/off";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::SignedIn, |method| on(method, show)),
    Route::post(PREPARE, Right::SignedIn, |method| on(method, prepare)),
    Route::post(CONFIRM, Right::SignedIn, |method| on(method, switch_on)),
    Route::post(CODES, Right::SignedIn, |method| on(method, renew_codes)),
    Route::get(OFF, Right::SignedIn, |method| on(method, ask_off)),
    Route::post(OFF, Right::SignedIn, |method| on(method, switch_off)),
];

/// The pages that set one up: they are open where everybody needs one, before there is one.
pub(crate) const SETTING_UP: &[&str] = &[PATH, PREPARE, CONFIRM];

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct Standing {
    frame: Frame,
    /// Whether there is no other page before it is set up.
    is_required: bool,
    since: Option<Time>,
    recovery_codes: u32,
    confirm: ConfirmForm,
}

#[derive(Template)]
#[template(path = "account/second_factor_scan.html")]
struct Scan {
    frame: Frame,
    /// Shown once, when it is prepared.
    enrolled: Option<Enrolled>,
    wrong: Option<String>,
}

/// What an authenticator app needs.
struct Enrolled {
    qr: Option<Qr>,
    seed: Zeroizing<String>,
}

#[derive(Template)]
#[template(path = "account/recovery_codes.html")]
struct Codes {
    frame: Frame,
    codes: Vec<Zeroizing<String>>,
}

#[derive(Template)]
#[template(path = "account/second_factor_off.html")]
struct Question {
    frame: Frame,
    confirm: ConfirmForm,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    standing(&console, &visit, &current, ConfirmForm::of(&current, &visit), StatusCode::OK).await
}

async fn standing(
    console: &Console,
    visit: &Visit,
    current: &Current,
    confirm: ConfirmForm,
    status: StatusCode,
) -> Result<Response, Problem> {
    let view = console.desk().second_factor(&current.signed_in.account).await?;
    let html = page(&Standing {
        frame: Frame::inside(console, visit, current, PATH),
        is_required: console.settings.second_factor == SecondFactorRule::Required,
        since: view.confirmed_at.map(|at| Time::of(at, visit.now, visit.texts)),
        recovery_codes: view.recovery_codes,
        confirm,
    })?;
    Ok((status, html).into_response())
}

async fn prepare(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let (current, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => (current, cookie),
        Asked::No(confirm, status) => return standing(&console, &visit, &current, confirm, status).await,
    };
    let account = &current.signed_in.account;
    match console.desk().prepare_second_factor(&current.act(&visit), account).await {
        Ok((view, _)) => {
            let enrolled = Enrolled { qr: Qr::of(&view.uri), seed: grouped(&view.secret) };
            let scan = scan(&console, &visit, &current, Some(enrolled), (StatusCode::OK, None))?;
            Ok((cookie, scan).into_response())
        }
        Err(Trouble::Taken(_)) => Ok((cookie, Redirect::to(PATH)).into_response()),
        Err(other) => Err(other.into()),
    }
}

fn scan(
    console: &Console,
    visit: &Visit,
    current: &Current,
    enrolled: Option<Enrolled>,
    (status, wrong): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let html = page(&Scan { frame: Frame::inside(console, visit, current, PATH), enrolled, wrong })?;
    Ok((status, html).into_response())
}

/// Switches it on by a code of the app. The account is another then: this session goes on, and all others end.
async fn switch_on(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let (desk, act, who) = (console.desk(), current.act(&visit), &current.signed_in);
    let code = Secret::new(fields.text("code"));
    let (status, wrong) = match desk.confirm_second_factor(&act, &who.account, &code).await {
        Ok(codes) => return kept(&console, &visit, &current, Some(codes)).await,
        Err(Trouble::WrongCode) => (StatusCode::UNPROCESSABLE_ENTITY, visit.texts.wrong_code().to_owned()),
        Err(Trouble::Throttled { until }) => (
            StatusCode::TOO_MANY_REQUESTS,
            visit.texts.too_many_tries(end_of_wait(until, visit.now, visit.texts)),
        ),
        Err(Trouble::Taken(_) | Trouble::Missing(_)) => return Ok(Redirect::to(PATH).into_response()),
        Err(other) => return Err(other.into()),
    };
    scan(&console, &visit, &current, None, (status, Some(wrong)))
}

/// Keeps this session for the account as its owner has just changed it, and shows the codes, if there are any.
async fn kept(
    console: &Console,
    visit: &Visit,
    current: &Current,
    codes: Option<view::RecoveryCodes>,
) -> Result<Response, Problem> {
    // It is done: whatever becomes of the session, that is shown.
    let kept = console.desk().keep_session(&current.token, &current.signed_in).await;
    let (current, cookie) = match kept.unwrap_or_else(not_kept) {
        Some(token) => {
            let cookie = confirm::keep(&token.declassify(), visit);
            (Current { token, ..current.clone() }, Some(cookie))
        }
        None => (current.clone(), None),
    };
    let page = match codes {
        Some(codes) => shown_once(console, visit, &current, codes)?,
        None => Redirect::to(PATH).into_response(),
    };
    Ok(match cookie {
        Some(cookie) => (cookie, page).into_response(),
        None => page,
    })
}

fn not_kept(trouble: Trouble) -> Option<SessionToken> {
    let error: &dyn std::error::Error = &trouble;
    tracing::error!(
        event = "web.session-lost",
        error,
        "a second factor was changed, but the session that did it could not be kept: its owner has to sign in again"
    );
    None
}

fn shown_once(
    console: &Console,
    visit: &Visit,
    current: &Current,
    codes: view::RecoveryCodes,
) -> Result<Response, Problem> {
    let frame = Frame::inside(console, visit, current, PATH);
    Ok(page(&Codes { frame, codes: codes.recovery_codes })?.into_response())
}

async fn renew_codes(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let (current, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => (current, cookie),
        Asked::No(confirm, status) => return standing(&console, &visit, &current, confirm, status).await,
    };
    let account = &current.signed_in.account;
    match console.desk().renew_recovery_codes(&current.act(&visit), account).await {
        Ok(codes) => Ok((cookie, shown_once(&console, &visit, &current, codes)?).into_response()),
        Err(Trouble::Missing(_)) => Ok((cookie, Redirect::to(PATH)).into_response()),
        Err(other) => Err(other.into()),
    }
}

async fn ask_off(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    question(&console, &visit, &current, ConfirmForm::always(&current), StatusCode::OK)
}

fn question(
    console: &Console,
    visit: &Visit,
    current: &Current,
    confirm: ConfirmForm,
    status: StatusCode,
) -> Result<Response, Problem> {
    let html = page(&Question { frame: Frame::inside(console, visit, current, PATH), confirm })?;
    Ok((status, html).into_response())
}

/// Switches it off, with password and code, however lately they were shown.
async fn switch_off(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let current = match confirm::ask_anew(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, _) => current,
        Asked::No(confirm, status) => return question(&console, &visit, &current, confirm, status),
    };
    console.desk().remove_second_factor(&current.act(&visit), &current.signed_in.account).await?;
    console.flashes.say(current.signed_in.session.id, visit.texts.second_factor_is_off().to_owned());
    kept(&console, &visit, &current, None).await
}
