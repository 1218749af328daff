//! How much an account may send: its own limits, or those of all.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::view;
use store::{Account, Limit, LimitChange, LimitChanges, Limits, OwnLimit, OwnLimits};

use super::{below, frame, named, path_of};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::limits_used::{Used, what};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::texts::Texts;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/accounts/{address}/limits", Right::Admin, |method| on(method, show)),
    Route::post("/admin/accounts/{address}/limits", Right::Admin, |method| on(method, change)),
];

#[derive(Template)]
#[template(path = "admin/account/own_limits.html")]
struct Form {
    frame: Frame,
    of: String,
    back: String,
    path: String,
    limits: Vec<Used>,
    rows: Vec<Row>,
    confirm: ConfirmForm,
}

/// A limit that can be changed.
struct Row {
    name: &'static str,
    what: &'static str,
    typed: String,
    hint: String,
    is_wrong: bool,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
) -> Result<Response, Problem> {
    let account = named(&console, &address).await?;
    let confirm = ConfirmForm::of(&current, &visit);
    form(&console, &visit, &current, &account, None, (confirm, StatusCode::OK)).await
}

async fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    account: &Account,
    typed: Option<&Fields>,
    (confirm, status): (ConfirmForm, StatusCode),
) -> Result<Response, Problem> {
    let sending = console.desk().sending_of(account).await?;
    let common = Limits { common: console.desk().common_limits(), own: OwnLimits::default() };
    let row = |(limit, usage): (Limit, &view::Usage)| {
        let typed = typed.map_or_else(|| own(usage), |fields| fields.text(limit.name()).to_owned());
        Row {
            name: limit.name(),
            what: what(limit, visit.texts),
            hint: hint(common.at_most(limit), visit.texts),
            is_wrong: read(&typed).is_none(),
            typed,
        }
    };
    let of = account.address.to_string();
    let html = page(&Form {
        frame: frame(console, visit, current),
        back: path_of(&of),
        of,
        path: below(account, "limits"),
        limits: Used::each(&sending, visit.texts),
        rows: sending.each().map(row).into(),
        confirm,
    })?;
    Ok((status, html).into_response())
}

/// A limit of the account's own as it is typed; nothing where the configuration speaks.
fn own(usage: &view::Usage) -> String {
    match usage.limit {
        _ if !usage.own => String::new(),
        Some(most) => OwnLimit::AtMost(most).to_string(),
        None => OwnLimit::Unlimited.to_string(),
    }
}

fn hint(common: Option<u32>, t: Texts) -> String {
    match common {
        Some(most) => t.limit_hint(most),
        None => t.limit_hint_without().to_owned(),
    }
}

/// What was typed; `None` if it is no limit.
fn read(typed: &str) -> Option<LimitChange> {
    match typed {
        "" => Some(LimitChange::Set(None)),
        typed => typed.parse().ok().map(|limit| LimitChange::Set(Some(limit))),
    }
}

fn changes(fields: &Fields) -> Option<LimitChanges> {
    let of = |limit: Limit| read(fields.text(limit.name()));
    Some(LimitChanges {
        messages_per_hour: of(Limit::MessagesPerHour)?,
        messages_per_day: of(Limit::MessagesPerDay)?,
        recipients_per_hour: of(Limit::RecipientsPerHour)?,
        recipients_per_day: of(Limit::RecipientsPerDay)?,
        new_recipients_per_day: of(Limit::NewRecipientsPerDay)?,
    })
}

async fn change(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let account = named(&console, &address).await?;
    let Some(changes) = changes(&fields) else {
        let again = (ConfirmForm::of(&current, &visit), StatusCode::UNPROCESSABLE_ENTITY);
        return form(&console, &visit, &current, &account, Some(&fields), again).await;
    };
    let (current, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => (current, cookie),
        Asked::No(confirm, status) => {
            return form(&console, &visit, &current, &account, Some(&fields), (confirm, status)).await;
        }
    };
    console.desk().change_limits(&current.act(&visit), &account, &changes).await?;
    console.flashes.say(current.signed_in.session.id, visit.texts.is_changed().to_owned());
    Ok((cookie, Redirect::to(&path_of(&account.address.to_string()))).into_response())
}
