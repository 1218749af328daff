//! App passwords of one's own: the list, each with its label, and revoking one, which asks before.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{Desk, SignInFilter, Trouble, view};
use store::{Account, Act, Action, Operation, Page as ListPage};
use types::CredentialId;

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::label::{self, LABEL};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::app_password::{AppPasswordShown, SentLately};
use crate::shown::device_link::DeviceShown;
use crate::shown::sign_in::SignInShown;
use crate::shown::strangers::plain;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account/app-passwords";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::SignedIn, |method| on(method, list)),
    Route::get("/account/app-passwords/{id}", Right::SignedIn, |method| on(method, show)),
    Route::post("/account/app-passwords/{id}/label", Right::SignedIn, |method| on(method, relabel)),
    Route::get("/account/app-passwords/{id}/revoke", Right::SignedIn, |method| on(method, ask)),
    Route::post("/account/app-passwords/{id}/revoke", Right::SignedIn, |method| on(method, revoke)),
];

/// App passwords that are shown of an account at most; it has 50 at most unless the configuration allows more.
pub(crate) const ALL: u32 = 1_000;

/// Uses that are shown of one.
const LATEST: u32 = 10;

#[derive(Template)]
#[template(path = "account/app_passwords.html")]
struct ListOf {
    frame: Frame,
    all: Vec<AppPasswordShown>,
    has_second_factor: bool,
    /// Links for devices that wait.
    waiting: Vec<DeviceShown>,
}

#[derive(Template)]
#[template(path = "account/app_password.html")]
struct One {
    frame: Frame,
    one: AppPasswordShown,
    /// What was typed for a label, and what is wrong with it.
    label: String,
    wrong: Option<&'static str>,
    uses: Vec<SignInShown>,
}

#[derive(Template)]
#[template(path = "account/app_password_revoke.html")]
struct Question {
    frame: Frame,
    one: AppPasswordShown,
    waiting: usize,
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let account = &current.signed_in.account;
    let all = console.desk().app_passwords(account, ListPage::first(ALL)).await?.items;
    let waiting = console.desk().waiting_device_links(account).await?;
    let lately = SentLately::of(&console, account, visit.now).await?;
    let html = page(&ListOf {
        frame: Frame::inside(&console, &visit, &current, PATH),
        all: all.iter().map(|one| AppPasswordShown::of(one, &visit).with(&lately)).collect(),
        has_second_factor: account.totp,
        waiting: waiting.iter().map(|link| DeviceShown::of(link, &visit)).collect(),
    })?;
    Ok(html.into_response())
}

/// The app password that a path names, if it is one of whoever is signed in.
async fn named(
    console: &Console,
    current: &Current,
    id: &str,
) -> Result<(CredentialId, view::AppPassword), Problem> {
    let id: CredentialId = id.parse().map_err(|_| Problem::NotFound)?;
    Ok((id, console.desk().show_app_password(&current.signed_in.account, id).await?))
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (_, view) = named(&console, &current, &id).await?;
    one(&console, &visit, &current, view, None).await
}

async fn one(
    console: &Console,
    visit: &Visit,
    current: &Current,
    view: view::AppPassword,
    wrong: Option<(&str, &'static str)>,
) -> Result<Response, Problem> {
    let (credential, action) = (Some(view.id.clone()), Some(Action::Login));
    let filter = SignInFilter { credential, action, ..SignInFilter::default() };
    let uses = console.desk().sign_ins(&current.signed_in.account, filter, ListPage::first(LATEST)).await?;
    let lately = SentLately::of(console, &current.signed_in.account, visit.now).await?;
    let html = page(&One {
        frame: Frame::inside(console, visit, current, PATH),
        uses: uses.items.iter().map(|one| SignInShown::told(one, visit)).collect(),
        label: wrong.map_or_else(|| view.label.clone(), |(typed, _)| typed.to_owned()),
        one: AppPasswordShown::of(&view, visit).with(&lately),
        wrong: wrong.map(|(_, wrong)| wrong),
    })?;
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, html).into_response())
}

async fn relabel(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (id, view) = named(&console, &current, &id).await?;
    let label = match label::read(fields.text(LABEL), visit.texts) {
        Ok(label) => label,
        Err(wrong) => return one(&console, &visit, &current, view, Some((fields.text(LABEL), wrong))).await,
    };
    let account = &current.signed_in.account;
    console.desk().relabel_app_password(&current.act(&visit), account, id, &label).await?;
    console.flashes.say(current.signed_in.session.id, visit.texts.relabelled(plain(&label)));
    Ok(Redirect::to(&format!("{PATH}/{id}")).into_response())
}

async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (id, view) = named(&console, &current, &id).await?;
    let waiting = console.desk().waiting_with(&current.signed_in.account, id.to_string()).await?.len();
    let frame = Frame::inside(&console, &visit, &current, PATH);
    Ok(page(&Question { frame, one: AppPasswordShown::of(&view, &visit), waiting })?.into_response())
}

async fn revoke(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (id, view) = named(&console, &current, &id).await?;
    let (desk, act, account) = (console.desk(), current.act(&visit), &current.signed_in.account);
    desk.revoke_app_password(&act, account, &id.to_string()).await?;
    let (t, label) = (visit.texts, plain(&view.label));
    let mut said = t.revoked(label);
    if fields.text("hold") == "yes" {
        // Revoked first: nothing more comes with it.
        let held = match held(&desk, &act, account, id).await {
            Ok(held) => t.messages_held(held),
            // It is revoked, and that is said.
            Err(trouble) => {
                let error: &dyn std::error::Error = &trouble;
                tracing::error!(event = "web.not-held", account.address = %account.address, error, "messages of a revoked app password could not be held");
                t.administrators_can_hold().to_owned()
            }
        };
        said = format!("{said} {held}");
    }
    console.flashes.say(current.signed_in.session.id, said);
    Ok(Redirect::to(PATH).into_response())
}

/// Holds what waits that came with this app password; how many messages.
async fn held(desk: &Desk, act: &Act, account: &Account, id: CredentialId) -> Result<usize, Trouble> {
    let waiting = desk.waiting_with(account, id.to_string()).await?;
    let operated = desk.operate_on(act, Operation::Hold, &waiting).await?;
    operated.broken_off.map_or(Ok(operated.done.len()), Err)
}
