//! App passwords of another: one made for a device that nobody can sign in on, and revoking one.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Redirect, Response};
use axum::routing::on;
use desk::view;
use store::{Account, Operation};
use types::CredentialId;

use super::departure::hold_box;
use super::{back, below, frame, named, path_of};
use crate::app_password_form::{self, Whose};
use crate::console::Console;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::question::{HOLD, Question};
use crate::right::{Right, Route};
use crate::session::confirm::ConfirmForm;
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/accounts/{address}/app-passwords/new", Right::Admin, |method| on(method, show)),
    Route::post("/admin/accounts/{address}/app-passwords", Right::Admin, |method| on(method, make)),
    Route::get("/admin/accounts/{address}/app-passwords/{id}/revoke", Right::Admin, |method| on(method, ask)),
    Route::post("/admin/accounts/{address}/app-passwords/{id}/revoke", Right::Admin, |method| {
        on(method, revoke)
    }),
];

async fn whose(console: &Console, address: &str) -> Result<Whose, Problem> {
    let account = named(console, address).await?;
    let (path, list) = (below(&account, "app-passwords"), path_of(&account.address.to_string()));
    Ok(Whose { account, path, list, frame, is_own: false })
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
) -> Result<Response, Problem> {
    app_password_form::show(&console, &visit, &current, &whose(&console, &address).await?).await
}

async fn make(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let whose = whose(&console, &address).await?;
    app_password_form::make(&console, &visit, current, &whose, &fields).await
}

/// The app password that a path names.
async fn one(
    console: &Console,
    (address, id): &(String, String),
) -> Result<(Account, CredentialId, view::AppPassword), Problem> {
    let account = named(console, address).await?;
    let id: CredentialId = id.parse().map_err(|_| Problem::NotFound)?;
    let view = console.desk().show_app_password(&account, id).await?;
    Ok((account, id, view))
}

async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(path): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (account, id, view) = one(&console, &path).await?;
    let (t, label) = (visit.texts, plain(&view.label));
    let waiting = console.desk().waiting_with(&account, id.to_string()).await?;
    let question = Question {
        frame: frame(&console, &visit, &current),
        back: back(&account),
        title: t.revoke_question(&label),
        lead: t.revoke_of_lead(),
        facts: vec![t.still_queued(waiting.len())],
        sample: Vec::new(),
        refused: None,
        path: below(&account, &format!("app-passwords/{id}/revoke")),
        hidden: Vec::new(),
        boxes: hold_box(&waiting, &visit).into_iter().collect(),
        typed: None,
        // To revoke must be quick.
        confirm: ConfirmForm::default(),
        button: t.revoke_it(&label),
        keep: t.keep_it(),
    };
    question.with(StatusCode::OK)
}

async fn revoke(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(path): Path<(String, String)>,
    fields: Fields,
) -> Result<Redirect, Problem> {
    let (account, id, view) = one(&console, &path).await?;
    let (desk, act, t) = (console.desk(), current.act(&visit), visit.texts);
    desk.revoke_app_password(&act, &account, &id.to_string()).await?;
    let mut said = t.revoked(plain(&view.label));
    if fields.text(HOLD) == "yes" {
        // Revoked first: nothing more comes with it.
        let waiting = desk.waiting_with(&account, id.to_string()).await?;
        let held = desk.operate_on(&act, Operation::Hold, &waiting).await?.done.len();
        said = format!("{said} {}", t.messages_held(held));
    }
    console.flashes.say(current.signed_in.session.id, said);
    Ok(Redirect::to(&path_of(&account.address.to_string())))
}
