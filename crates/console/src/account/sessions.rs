//! Browser sessions of one's own: the list, ending one, and signing out everywhere.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header::SET_COOKIE};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::view;

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::cookie::Cookie;
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account/sessions";
const ALL: &str = "/account/sessions/end-all";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::SignedIn, |method| on(method, list)),
    Route::post("/account/sessions/{id}/end", Right::SignedIn, |method| on(method, end)),
    Route::get(ALL, Right::SignedIn, |method| on(method, ask_all)),
    Route::post(ALL, Right::SignedIn, |method| on(method, end_all)),
];

#[derive(Template)]
#[template(path = "account/sessions.html")]
struct ListOf {
    frame: Frame,
    all: Vec<Shown>,
}

#[derive(Template)]
#[template(path = "account/sessions_end.html")]
struct Question {
    frame: Frame,
    confirm: ConfirmForm,
}

/// A session, as its owner sees it.
struct Shown {
    id: String,
    agent: String,
    ip: String,
    since: Time,
    seen: Time,
    is_current: bool,
}

impl Shown {
    fn of(view: &view::Session, visit: &Visit) -> Self {
        Self {
            id: view.id.clone(),
            agent: plain(&view.agent),
            ip: view.ip.to_string(),
            since: Time::of(view.created_at, visit.now, visit.texts),
            seen: Time::of(view.seen_at, visit.now, visit.texts),
            is_current: view.current,
        }
    }
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let who = &current.signed_in;
    let all = console.desk().sessions(&who.account, Some(who.session.id)).await?;
    let all = all.iter().map(|view| Shown::of(view, &visit)).collect();
    Ok(page(&ListOf { frame: Frame::inside(&console, &visit, &current, PATH), all })?.into_response())
}

async fn end(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let who = &current.signed_in;
    let own = console.desk().sessions(&who.account, Some(who.session.id)).await?;
    // By the whole identifier, as the page has it.
    let found = own.iter().find(|session| session.id == id).ok_or(Problem::NotFound)?;
    console.desk().end_session(&current.act(&visit), &who.account, &id).await?;
    if found.current {
        return Ok(([(SET_COOKIE, Cookie::Session.end(&visit))], Redirect::to("/sign-in")).into_response());
    }
    console.flashes.say(who.session.id, visit.texts.session_ended(plain(&found.agent)));
    Ok(Redirect::to(PATH).into_response())
}

async fn ask_all(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    question(&console, &visit, &current, ConfirmForm::of(&current, &visit), StatusCode::OK)
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

async fn end_all(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, _) => {
            let account = &current.signed_in.account;
            console.desk().end_sessions(&current.act(&visit), account, None).await?;
            Ok(([(SET_COOKIE, Cookie::Session.end(&visit))], Redirect::to("/sign-in")).into_response())
        }
        Asked::No(confirm, status) => question(&console, &visit, &current, confirm, status),
    }
}
