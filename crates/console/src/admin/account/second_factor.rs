//! Switching off the second factor of somebody who has lost it: the address has to be typed.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use store::Account;

use super::{back, below, frame, named, path_of};
use crate::console::Console;
use crate::fields::Fields;
use crate::problem::Problem;
use crate::question::{Question, TYPED, is_address};
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/accounts/{address}/second-factor/off", Right::Admin, |method| on(method, ask)),
    Route::post("/admin/accounts/{address}/second-factor/off", Right::Admin, |method| on(method, off)),
];

/// The account, if its second factor is on.
async fn with_second_factor(console: &Console, address: &str) -> Result<Account, Problem> {
    let account = named(console, address).await?;
    if account.totp { Ok(account) } else { Err(Problem::NotFound) }
}

async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
) -> Result<Response, Problem> {
    let account = with_second_factor(&console, &address).await?;
    let confirm = ConfirmForm::of(&current, &visit);
    question(&console, &visit, &current, &account, confirm, (StatusCode::OK, None))
}

fn question(
    console: &Console,
    visit: &Visit,
    current: &Current,
    account: &Account,
    confirm: ConfirmForm,
    (status, refused): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let t = visit.texts;
    let question = Question {
        frame: frame(console, visit, current),
        back: back(account),
        title: t.second_factor_off_question(&account.address),
        lead: t.second_factor_off_of_lead(),
        facts: vec![t.see_who_asks().to_owned()],
        sample: Vec::new(),
        refused,
        path: below(account, "second-factor/off"),
        hidden: Vec::new(),
        boxes: Vec::new(),
        typed: Some(t.type_to_switch_off(&account.address)),
        confirm,
        button: t.switch_it_off().to_owned(),
        keep: t.keep_it(),
    };
    question.with(status)
}

async fn off(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let account = with_second_factor(&console, &address).await?;
    let t = visit.texts;
    if !is_address(fields.text(TYPED), &account.address) {
        let refused = (StatusCode::UNPROCESSABLE_ENTITY, Some(t.not_its_address().to_owned()));
        return question(&console, &visit, &current, &account, ConfirmForm::of(&current, &visit), refused);
    }
    let (current, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => (current, cookie),
        Asked::No(confirm, status) => {
            return question(&console, &visit, &current, &account, confirm, (status, None));
        }
    };
    console.desk().remove_second_factor(&current.act(&visit), &account).await?;
    console.flashes.say(current.signed_in.session.id, t.second_factor_of_is_off(&account.address));
    Ok((cookie, Redirect::to(&path_of(&account.address.to_string()))).into_response())
}
