//! A new account: its address, what people call it, and whether it administers. It has no password: nobody chooses one for another.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{NewAccount, Trouble};
use types::Mailbox;

use super::account::{ACCOUNTS, path_of};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::label::is_line;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::texts::Texts;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/accounts/new", Right::Admin, |method| on(method, show)),
    Route::post(ACCOUNTS, Right::Admin, |method| on(method, add)),
];

/// The field of a form with what people call an account.
pub(super) const NAME: &str = "name";

#[derive(Template)]
#[template(path = "admin/account_new.html")]
struct Form {
    frame: Frame,
    name: String,
    address: String,
    admin: bool,
    /// What is wrong with the name, and with the address.
    wrong: [Option<&'static str>; 2],
    confirm: ConfirmForm,
}

/// What people call an account; `None` if nothing was typed. Or what is wrong with it.
pub(super) fn read_name(typed: &str, t: Texts) -> Result<Option<String>, &'static str> {
    if !is_line(typed) {
        return Err(t.name_is_no_line());
    }
    Ok(Some(typed.to_owned()).filter(|name| !name.is_empty()))
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let (frame, confirm) =
        (Frame::of_administration(&console, &visit, &current, ACCOUNTS), ConfirmForm::of(&current, &visit));
    let (name, address) = (String::new(), String::new());
    Ok(page(&Form { frame, name, address, admin: false, wrong: [None; 2], confirm })?.into_response())
}

async fn add(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let (t, admin) = (visit.texts, fields.text("admin") == "yes");
    let again = |current: &Current, wrong, confirm, status: StatusCode| -> Result<Response, Problem> {
        let (name, address) = (fields.text(NAME).to_owned(), fields.text("address").to_owned());
        let frame = Frame::of_administration(&console, &visit, current, ACCOUNTS);
        let html = page(&Form { frame, name, address, admin, wrong, confirm })?;
        Ok((status, html).into_response())
    };
    let read = (read_name(fields.text(NAME), t), Mailbox::parse(fields.text("address")));
    let (name, address) = match read {
        (Ok(name), Ok(address)) => (name, address),
        (name, address) => {
            let wrong = [name.err(), address.err().map(|_| t.no_address())];
            let confirm = ConfirmForm::of(&current, &visit);
            return again(&current, wrong, confirm, StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let (current, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => (current, cookie),
        Asked::No(confirm, status) => return again(&current, [None; 2], confirm, status),
    };
    let there = path_of(&address.to_string());
    let new = NewAccount { address, name, admin, password: None };
    match console.desk().add_account(&current.act(&visit), new).await {
        Ok((user, _)) => {
            console.flashes.say(current.signed_in.session.id, t.account_is_made(&user.address));
            Ok((cookie, Redirect::to(&there)).into_response())
        }
        Err(Trouble::Taken(_)) => {
            let wrong = [None, Some(t.address_is_taken())];
            let answer = again(&current, wrong, ConfirmForm::default(), StatusCode::CONFLICT)?;
            Ok((cookie, answer).into_response())
        }
        Err(other) => Err(other.into()),
    }
}
