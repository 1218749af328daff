//! Barring an account from logging in, which asks before, and letting it in again.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::Trouble;
use store::{Account, Departure};

use super::{back, below, departure, frame, named, path_of};
use crate::console::Console;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::question::Question;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/accounts/{address}/disable", Right::Admin, |method| on(method, ask)),
    Route::post("/admin/accounts/{address}/disable", Right::Admin, |method| on(method, disable)),
    Route::post("/admin/accounts/{address}/enable", Right::Admin, |method| on(method, enable)),
];

async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
) -> Result<Response, Problem> {
    let account = named(&console, &address).await?;
    let confirm = ConfirmForm::of(&current, &visit);
    question(&console, &visit, &current, &account, confirm, (StatusCode::OK, None)).await
}

async fn question(
    console: &Console,
    visit: &Visit,
    current: &Current,
    account: &Account,
    confirm: ConfirmForm,
    (status, refused): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let t = visit.texts;
    let (queued, boxes) = departure::queued_and_boxes(console, visit, account).await?;
    let question = Question {
        frame: frame(console, visit, current),
        back: back(account),
        title: t.disable_question(&account.address),
        lead: t.disable_lead(),
        facts: vec![queued],
        sample: Vec::new(),
        refused,
        path: below(account, "disable"),
        hidden: Vec::new(),
        boxes,
        typed: None,
        confirm,
        button: t.disable(&account.address),
        keep: t.leave_it(),
    };
    question.with(status)
}

async fn disable(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let account = named(&console, &address).await?;
    let t = visit.texts;
    if !departure::may_go(&console, &account, &fields).await? {
        let refused = (StatusCode::UNPROCESSABLE_ENTITY, Some(t.nobody_would_administer().to_owned()));
        let confirm = ConfirmForm::of(&current, &visit);
        return question(&console, &visit, &current, &account, confirm, refused).await;
    }
    let (current, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => (current, cookie),
        Asked::No(confirm, status) => {
            return question(&console, &visit, &current, &account, confirm, (status, None)).await;
        }
    };
    let (act, last) = (current.act(&visit), departure::last_administrator(&fields));
    match console.desk().let_go(&act, &account, Departure::Disable, last).await {
        Err(Trouble::LastAdministrator(_)) => {
            let refused = (StatusCode::CONFLICT, Some(t.nobody_would_administer().to_owned()));
            let confirm = ConfirmForm::default();
            let answer = question(&console, &visit, &current, &account, confirm, refused).await?;
            return Ok((cookie, answer).into_response());
        }
        done => done?,
    }
    let said = t.account_is_disabled(&account.address);
    departure::hold_and_say(&console, &visit, &current, (&account, &fields), said).await;
    Ok((cookie, Redirect::to(&path_of(&account.address.to_string()))).into_response())
}

async fn enable(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
) -> Result<Redirect, Problem> {
    let account = named(&console, &address).await?;
    console.desk().bar_account(&current.act(&visit), &account, false).await?;
    console.flashes.say(current.signed_in.session.id, visit.texts.account_is_enabled(&account.address));
    Ok(Redirect::to(&path_of(&account.address.to_string())))
}
