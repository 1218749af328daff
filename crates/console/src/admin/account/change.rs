//! What an account is called, its address, and whether it administers: one form, confirmed.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::Trouble;
use store::{Account, AccountChange, Departure};
use types::Mailbox;

use super::departure::{last_administrator, last_box, may_go};
use super::{below, frame, named, path_of};
use crate::admin::new_account::{NAME, read_name};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::texts::Texts;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/accounts/{address}/change", Right::Admin, |method| on(method, show)),
    Route::post("/admin/accounts/{address}/change", Right::Admin, |method| on(method, change)),
];

#[derive(Template)]
#[template(path = "admin/account/change.html")]
struct Form {
    frame: Frame,
    /// The account as it is.
    of: String,
    back: String,
    path: String,
    name: String,
    address: String,
    admin: bool,
    was: Was,
    /// What is wrong with the name, with the address, and with taking the last administrator away.
    wrong: [Option<&'static str>; 3],
    /// The box that has to be ticked before the last administrator is one no longer.
    last: Option<String>,
    confirm: ConfirmForm,
}

/// What was typed.
struct Typed {
    name: String,
    address: String,
    admin: bool,
    was: Was,
}

/// What the account was when the form was made, which the form sends along. Only what is another than that is changed: a form that was open for a
/// while takes nothing back of what others have done meanwhile.
struct Was {
    name: String,
    address: String,
    admin: bool,
}

impl Was {
    fn of(account: &Account) -> Self {
        Self {
            name: account.name.clone().unwrap_or_default(),
            address: account.address.to_string(),
            admin: account.admin,
        }
    }

    fn read(fields: &Fields, account: &Account) -> Self {
        match fields.text("was_address") {
            "" => Self::of(account),
            address => Self {
                name: fields.text("was_name").to_owned(),
                address: address.to_owned(),
                admin: fields.text("was_admin") == "yes",
            },
        }
    }
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
) -> Result<Response, Problem> {
    let account = named(&console, &address).await?;
    let typed = Typed {
        name: account.name.clone().unwrap_or_default(),
        address: account.address.to_string(),
        admin: account.admin,
        was: Was::of(&account),
    };
    let confirm = ConfirmForm::of(&current, &visit);
    form(&console, &visit, &current, &account, typed, [None; 3], confirm, StatusCode::OK).await
}

#[expect(clippy::too_many_arguments, reason = "who asks, what was typed, what came of it")]
async fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    account: &Account,
    Typed { name, address, admin, was }: Typed,
    wrong: [Option<&'static str>; 3],
    confirm: ConfirmForm,
    status: StatusCode,
) -> Result<Response, Problem> {
    let of = account.address.to_string();
    let html = page(&Form {
        frame: frame(console, visit, current),
        back: path_of(&of),
        path: below(account, "change"),
        last: last_box(console, visit, account).await?.map(|(_, words, _)| words),
        of,
        name,
        address,
        admin,
        was,
        wrong,
        confirm,
    })?;
    Ok((status, html).into_response())
}

async fn change(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let account = named(&console, &address).await?;
    let typed = Typed::read(&fields, &account);
    let is_last = typed.was.admin && !typed.admin && !may_go(&console, &account, &fields).await?;
    let wanted = match typed.change(visit.texts) {
        Ok(wanted) if !is_last => wanted,
        wanted => {
            let [name, address] = wanted.err().unwrap_or_default();
            let wrong = [name, address, is_last.then(|| visit.texts.nobody_would_administer())];
            let (confirm, status) = (ConfirmForm::of(&current, &visit), StatusCode::UNPROCESSABLE_ENTITY);
            return form(&console, &visit, &current, &account, typed, wrong, confirm, status).await;
        }
    };
    let (current, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => (current, cookie),
        Asked::No(confirm, status) => {
            return form(&console, &visit, &current, &account, typed, [None; 3], confirm, status).await;
        }
    };
    let (act, last) = (current.act(&visit), last_administrator(&fields));
    match console.desk().let_go(&act, &account, Departure::Change(wanted), last).await {
        Ok(()) => {
            console.flashes.say(current.signed_in.session.id, visit.texts.is_changed().to_owned());
            let there = Mailbox::parse(&typed.address).map_or(typed.address, |address| address.to_string());
            Ok((cookie, Redirect::to(&path_of(&there))).into_response())
        }
        Err(trouble) => {
            let Some(wrong) = what_is_wrong(&trouble, visit.texts) else { return Err(trouble.into()) };
            let (confirm, status) = (ConfirmForm::default(), StatusCode::CONFLICT);
            let answer = form(&console, &visit, &current, &account, typed, wrong, confirm, status).await?;
            Ok((cookie, answer).into_response())
        }
    }
}

/// What is wrong with what was typed, if that is why nothing was changed.
fn what_is_wrong(trouble: &Trouble, t: Texts) -> Option<[Option<&'static str>; 3]> {
    match trouble {
        Trouble::Taken(_) => Some([None, Some(t.address_is_taken()), None]),
        Trouble::LastAdministrator(_) => Some([None, None, Some(t.nobody_would_administer())]),
        _ => None,
    }
}

impl Typed {
    fn read(fields: &Fields, account: &Account) -> Self {
        Self {
            name: fields.text(NAME).to_owned(),
            address: fields.text("address").to_owned(),
            admin: fields.text("admin") == "yes",
            was: Was::read(fields, account),
        }
    }

    /// What is to be another than it was; or what is wrong with the name and with the address.
    fn change(&self, t: Texts) -> Result<AccountChange, [Option<&'static str>; 2]> {
        match (read_name(&self.name, t), Mailbox::parse(&self.address)) {
            (Ok(name), Ok(address)) => Ok(AccountChange {
                name: (self.name != self.was.name).then_some(name),
                address: (self.address != self.was.address).then_some(address),
                admin: (self.admin != self.was.admin).then_some(self.admin),
            }),
            (name, address) => Err([name.err(), address.err().map(|_| t.no_address())]),
        }
    }
}
