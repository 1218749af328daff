//! Removing an account, for which its address has to be typed.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::Trouble;
use store::{Account, Departure};

use super::{ACCOUNTS, back, below, departure, frame, named};
use crate::console::Console;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::question::{Question, TYPED, is_address};
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/accounts/{address}/remove", Right::Admin, |method| on(method, ask)),
    Route::post("/admin/accounts/{address}/remove", Right::Admin, |method| on(method, remove)),
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
        title: t.remove_question(&account.address),
        lead: t.remove_lead(),
        facts: vec![queued],
        sample: Vec::new(),
        refused,
        path: below(account, "remove"),
        hidden: Vec::new(),
        boxes,
        typed: Some(t.type_to_remove(&account.address)),
        confirm,
        button: t.remove(&account.address),
        keep: t.keep_it(),
    };
    question.with(status)
}

async fn remove(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let account = named(&console, &address).await?;
    let t = visit.texts;
    if let Some(refused) = refusal(&console, &visit, &account, &fields).await? {
        let refused = (StatusCode::UNPROCESSABLE_ENTITY, Some(refused.to_owned()));
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
    match console.desk().let_go(&act, &account, Departure::Remove, last).await {
        Err(Trouble::LastAdministrator(_)) => {
            let refused = (StatusCode::CONFLICT, Some(t.nobody_would_administer().to_owned()));
            let confirm = ConfirmForm::default();
            let answer = question(&console, &visit, &current, &account, confirm, refused).await?;
            return Ok((cookie, answer).into_response());
        }
        done => done?,
    }
    let said = t.account_is_removed(&account.address);
    departure::hold_and_say(&console, &visit, &current, (&account, &fields), said).await;
    Ok((cookie, Redirect::to(ACCOUNTS)).into_response())
}

/// Why it is not removed, before the password is asked for.
async fn refusal(
    console: &Console,
    visit: &Visit,
    account: &Account,
    fields: &Fields,
) -> Result<Option<&'static str>, Problem> {
    if !is_address(fields.text(TYPED), &account.address) {
        return Ok(Some(visit.texts.not_its_address()));
    }
    Ok((!departure::may_go(console, account, fields).await?).then(|| visit.texts.nobody_would_administer()))
}
