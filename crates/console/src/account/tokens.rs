//! API tokens of one's own: the list, and revoking one, which asks before.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::api_token::ApiTokenShown;
use crate::shown::strangers::plain;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account/tokens";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::SignedIn, |method| on(method, list)),
    Route::get("/account/tokens/{id}/revoke", Right::SignedIn, |method| on(method, ask)),
    Route::post("/account/tokens/{id}/revoke", Right::SignedIn, |method| on(method, revoke)),
];

#[derive(Template)]
#[template(path = "account/tokens.html")]
struct ListOf {
    frame: Frame,
    all: Vec<ApiTokenShown>,
}

#[derive(Template)]
#[template(path = "account/token_revoke.html")]
struct Question {
    frame: Frame,
    one: ApiTokenShown,
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let all = console.desk().tokens(&current.signed_in.account).await?;
    let all = all.iter().map(|one| ApiTokenShown::of(one, &visit)).collect();
    Ok(page(&ListOf { frame: Frame::inside(&console, &visit, &current, PATH), all })?.into_response())
}

async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let view = console.desk().show_token(&current.signed_in.account, &id).await?;
    let frame = Frame::inside(&console, &visit, &current, PATH);
    Ok(page(&Question { frame, one: ApiTokenShown::of(&view, &visit) })?.into_response())
}

async fn revoke(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (desk, account) = (console.desk(), &current.signed_in.account);
    // By the whole identifier, as the page has it.
    desk.show_token(account, &id).await?;
    let revoked = desk.revoke_token(&current.act(&visit), account, &id).await?;
    console.flashes.say(current.signed_in.session.id, visit.texts.revoked(plain(&revoked.label)));
    Ok(Redirect::to(PATH).into_response())
}
