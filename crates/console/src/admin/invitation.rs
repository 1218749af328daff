//! Inviting the owner of an account to choose its password: a new account gets its first password so, and a lost one is made good so. The
//! administrator passes the link on, and learns no password.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use jiff::SignedDuration;
use store::Account;
use zeroize::Zeroizing;

use super::account::{ACCOUNTS, named, path_of};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::question::{TYPED, is_address};
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::session::once::Once;
use crate::shown::time::Time;
use crate::visit::Visit;

const MAKE: &str = "/admin/invitations";
const WITHDRAW: &str = "/admin/invitations/withdraw";

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/accounts/{address}/invite", Right::Admin, |method| on(method, show)),
    Route::post(MAKE, Right::Admin, |method| on(method, make)),
    Route::post(WITHDRAW, Right::Admin, |method| on(method, withdraw)),
];

/// How long an invitation can be good for, in hours.
const HOURS: [i64; 4] = [1, 24, 72, 168];
const USUAL: i64 = 24;

#[derive(Template)]
#[template(path = "admin/invite.html")]
struct Form {
    frame: Frame,
    address: String,
    is_disabled: bool,
    has_second_factor: bool,
    /// Each number of hours, in words, and whether it is chosen.
    hours: Vec<(i64, String, bool)>,
    is_lost: bool,
    wrong_address: Option<&'static str>,
    confirm: ConfirmForm,
    number: u64,
}

#[derive(Template)]
#[template(path = "admin/invited.html")]
struct Made {
    frame: Frame,
    address: String,
    link: Zeroizing<String>,
    until: Time,
}

/// What was chosen.
#[derive(Clone, Copy)]
struct Chosen {
    hours: i64,
    is_lost: bool,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
) -> Result<Response, Problem> {
    let account = named(&console, &address).await?;
    let (chosen, confirm) = (Chosen { hours: USUAL, is_lost: false }, ConfirmForm::of(&current, &visit));
    form(&console, &visit, &current, (&account, chosen), (confirm, None), StatusCode::OK)
}

fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (account, chosen): (&Account, Chosen),
    (confirm, wrong_address): (ConfirmForm, Option<&'static str>),
    status: StatusCode,
) -> Result<Response, Problem> {
    let html = page(&Form {
        frame: Frame::of_administration(console, visit, current, ACCOUNTS),
        address: account.address.to_string(),
        is_disabled: account.disabled,
        has_second_factor: account.totp,
        hours: HOURS.map(|hours| (hours, words(hours, visit), hours == chosen.hours)).into(),
        is_lost: chosen.is_lost,
        wrong_address,
        confirm,
        number: Once::number(),
    })?;
    Ok((status, html).into_response())
}

fn words(hours: i64, visit: &Visit) -> String {
    if hours < 24 { visit.texts.hours_long(hours) } else { visit.texts.days_long(hours / 24) }
}

async fn make(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let account = named(&console, fields.text("address")).await?;
    let hours = fields.text("hours").parse().ok().filter(|hours| HOURS.contains(hours));
    let chosen = Chosen {
        hours: hours.ok_or(Problem::NotFound)?,
        is_lost: account.totp && fields.text("lost") == "yes",
    };
    // Typed again by somebody who knows whose second factor goes.
    if chosen.is_lost && !is_address(fields.text(TYPED), &account.address) {
        let wrong = Some(visit.texts.type_the_address());
        let (confirm, status) = (ConfirmForm::of(&current, &visit), StatusCode::UNPROCESSABLE_ENTITY);
        return form(&console, &visit, &current, (&account, chosen), (confirm, wrong), status);
    }
    match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => {
            let number = fields.text("number").parse().unwrap_or_else(|_| Once::number());
            let made = once(&console, &visit, &current, (&account, chosen), number).await?;
            Ok((cookie, made).into_response())
        }
        Asked::No(confirm, status) => {
            form(&console, &visit, &current, (&account, chosen), (confirm, None), status)
        }
    }
}

/// Makes it, unless the form was sent before: a reload must not withdraw the link that was just passed on.
async fn once(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (account, chosen): (&Account, Chosen),
    number: u64,
) -> Result<Response, Problem> {
    let session = current.signed_in.session.id;
    if !console.once.is_first(session, number) {
        console.flashes.say(session, visit.texts.invitation_made_already().to_owned());
        return Ok(Redirect::to(&path_of(&account.address.to_string())).into_response());
    }
    let made = confirmed(console, visit, current, (account, chosen)).await;
    if made.is_err() {
        console.once.forget(session, number);
    }
    made
}

async fn confirmed(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (account, chosen): (&Account, Chosen),
) -> Result<Response, Problem> {
    let good_for = SignedDuration::from_hours(chosen.hours);
    let new = console.desk().invite(&current.act(visit), account, good_for, chosen.is_lost).await?;
    let html = page(&Made {
        frame: Frame::of_administration(console, visit, current, ACCOUNTS),
        address: new.invitation.account,
        link: new.link,
        until: Time::of(new.invitation.expires_at, visit.now, visit.texts),
    })?;
    Ok(html.into_response())
}

async fn withdraw(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let account = named(&console, fields.text("address")).await?;
    // If it was used a moment ago, the page has it no longer.
    if console.desk().withdraw_invitation(&current.act(&visit), &account).await? {
        let line = visit.texts.invitation_withdrawn(&account.address);
        console.flashes.say(current.signed_in.session.id, line);
    }
    Ok(Redirect::to(&path_of(&account.address.to_string())).into_response())
}
