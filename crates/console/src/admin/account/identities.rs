//! Whom an account may send as besides itself.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::Trouble;
use store::{Account, Page as ListPage};
use types::SenderPattern;

use super::{below, frame, named, path_of};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, is_full};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/accounts/{address}/identities", Right::Admin, |method| on(method, show)),
    Route::post("/admin/accounts/{address}/identities", Right::Admin, |method| on(method, add)),
    Route::post("/admin/accounts/{address}/identities/remove", Right::Admin, |method| on(method, remove)),
];

/// The field with whom the account may send as.
const SENDER: &str = "sender";

#[derive(Template)]
#[template(path = "admin/account/identities.html")]
struct ListOf {
    frame: Frame,
    of: String,
    back: String,
    path: String,
    /// Each as it is stored, and as it is shown.
    all: Vec<(String, String)>,
    next: Option<String>,
    /// What was typed, and what is wrong with it.
    sender: String,
    wrong: Option<&'static str>,
    confirm: ConfirmForm,
}

impl ListOf {
    fn remove(&self) -> String {
        format!("{}/remove", self.path)
    }
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    let account = named(&console, &address).await?;
    let confirm = ConfirmForm::of(&current, &visit);
    list(&console, &visit, &current, (&account, &query), ("", None), confirm, StatusCode::OK).await
}

async fn list(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (account, query): (&Account, &Query),
    (sender, wrong): (&str, Option<&'static str>),
    confirm: ConfirmForm,
    status: StatusCode,
) -> Result<Response, Problem> {
    let after = query.get("after").map(str::to_owned);
    let listed = console.desk().senders(account, ListPage { after, limit: ROWS }).await?;
    let (of, path) = (account.address.to_string(), below(account, "identities"));
    let html = page(&ListOf {
        frame: frame(console, visit, current),
        back: path_of(&of),
        of,
        all: listed.items.iter().map(|one| (one.sender.clone(), plain(&one.sender))).collect(),
        next: listed.last.filter(|_| is_full(listed.items.len())).map(|last| query.next(&path, &last)),
        path,
        sender: sender.to_owned(),
        wrong,
        confirm,
    })?;
    Ok((status, html).into_response())
}

async fn add(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (account, first) = (named(&console, &address).await?, Query::default());
    let (t, typed, of) = (visit.texts, fields.text(SENDER), (&account, &first));
    let Ok(sender) = typed.parse::<SenderPattern>() else {
        let (wrong, confirm) = (Some(t.no_sender()), ConfirmForm::of(&current, &visit));
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return list(&console, &visit, &current, of, (typed, wrong), confirm, status).await;
    };
    let (current, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => (current, cookie),
        Asked::No(confirm, status) => {
            return list(&console, &visit, &current, of, (typed, None), confirm, status).await;
        }
    };
    let wrong = match console.desk().allow_sender(&current.act(&visit), &account, sender).await {
        Ok((identity, is_an_account)) => {
            let said = t.may_send_as(plain(&identity.sender));
            let more = if is_an_account { t.somebody_has_that_address() } else { "" };
            console.flashes.say(current.signed_in.session.id, format!("{said} {more}").trim().to_owned());
            return Ok((cookie, Redirect::to(&below(&account, "identities"))).into_response());
        }
        Err(Trouble::Taken(_)) => t.may_send_so_already(),
        Err(Trouble::OwnAddress(_)) => t.its_own_address(),
        Err(other) => return Err(other.into()),
    };
    let (typed, status) = ((typed, Some(wrong)), StatusCode::CONFLICT);
    let answer = list(&console, &visit, &current, of, typed, ConfirmForm::default(), status).await?;
    Ok((cookie, answer).into_response())
}

async fn remove(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
    fields: Fields,
) -> Result<Redirect, Problem> {
    let account = named(&console, &address).await?;
    let sender: SenderPattern = fields.text(SENDER).parse().map_err(|_| Problem::NotFound)?;
    console.desk().forbid_sender(&current.act(&visit), &account, &sender).await?;
    let said = visit.texts.may_no_longer_send_as(plain(&sender.to_string()));
    console.flashes.say(current.signed_in.session.id, said);
    Ok(Redirect::to(&below(&account, "identities")))
}
