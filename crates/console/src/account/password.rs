//! One's own password: the one of now confirms the new one.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{Chosen, OWN_PASSWORD_CHARACTERS, Strength, Trouble};
use store::Account;
use types::Secret;

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account/password";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::SignedIn, |method| on(method, show)),
    Route::post(PATH, Right::SignedIn, |method| on(method, change)),
];

#[derive(Template)]
#[template(path = "account/password.html")]
struct Form {
    frame: Frame,
    confirm: ConfirmForm,
    wrong: Option<String>,
    least: usize,
    /// Whether the password is another server's to change, which judges the logins of this account.
    is_elsewhere: bool,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    form(&console, &visit, &current, ConfirmForm::always(&current), None, StatusCode::OK)
}

fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    confirm: ConfirmForm,
    wrong: Option<String>,
    status: StatusCode,
) -> Result<Response, Problem> {
    let frame = Frame::inside(console, visit, current, PATH);
    let is_elsewhere = is_elsewhere(current);
    let html = page(&Form { frame, confirm, wrong, least: OWN_PASSWORD_CHARACTERS, is_elsewhere })?;
    Ok((status, html).into_response())
}

async fn change(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    // One of its own would take the place of that one, which its owner does not mean.
    if is_elsewhere(&current) {
        return Err(Problem::NotFound);
    }
    // Before a code is used up for it.
    if let Err(trouble) = judge(&console, &current.signed_in.account, fields.secret("new")) {
        let confirm = ConfirmForm::always(&current);
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return form(&console, &visit, &current, confirm, Some(trouble.to_string()), status);
    }
    match confirm::ask_anew(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, _) => confirmed(&console, &visit, &current, &fields).await,
        Asked::No(confirm, status) => form(&console, &visit, &current, confirm, None, status),
    }
}

fn is_elsewhere(current: &Current) -> bool {
    current.signed_in.account.password_hash.is_none()
}

/// Sees that this can be the password of one's own account.
pub(super) fn judge(console: &Console, account: &Account, new: Secret) -> Result<(), Trouble> {
    let new = Chosen { secret: new, strength: Strength::Own };
    new.judge(&account.address, account.name.as_deref(), &console.settings.hostname)
}

async fn confirmed(
    console: &Console,
    visit: &Visit,
    current: &Current,
    fields: &Fields,
) -> Result<Response, Problem> {
    let (desk, act) = (console.desk(), current.act(visit));
    let (token, who) = (&current.token, &current.signed_in);
    match desk.change_own_password(&act, (token, who), fields.secret("new")).await {
        Ok(Some(token)) => {
            console.flashes.say(who.session.id, visit.texts.password_changed().to_owned());
            Ok((confirm::keep(&token.declassify(), visit), Redirect::to(PATH)).into_response())
        }
        Ok(None) | Err(Trouble::Overtaken(_)) => Ok(Redirect::to("/sign-in").into_response()),
        Err(other) => Err(other.into()),
    }
}
