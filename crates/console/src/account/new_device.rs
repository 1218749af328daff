//! A new link for a device: what its app password will be, confirmed by its owner.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{AppPasswordWish, Trouble};
use store::PlannedAppPassword;

use super::app_passwords;
use crate::app_password_form::{Typed, Wrong, senders_of};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::session::once::Once;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/account/devices/new", Right::SignedIn, |method| on(method, show)),
    Route::post(PATH, Right::SignedIn, |method| on(method, make)),
];

/// Where the form is sent to; the pages of single links are below.
const PATH: &str = "/account/devices";

#[derive(Template)]
#[template(path = "account/device_new.html")]
struct Form {
    frame: Frame,
    typed: Typed,
    wrong: Wrong,
    /// What the form as a whole is not taken for.
    refused: Option<String>,
    /// The senders of the account.
    senders: Vec<String>,
    confirm: ConfirmForm,
    number: u64,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let typed = Typed { ends: "never".to_owned(), ..Typed::default() };
    let confirm = ConfirmForm::of(&current, &visit);
    form(&console, &visit, &current, (typed, Wrong::default()), confirm, (StatusCode::OK, None)).await
}

async fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (typed, wrong): (Typed, Wrong),
    confirm: ConfirmForm,
    (status, refused): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let senders = senders_of(console, &current.signed_in.account).await?;
    let frame = Frame::inside(console, visit, current, app_passwords::PATH);
    let number = Once::number();
    let html = page(&Form { frame, typed, wrong, refused, senders, confirm, number })?;
    Ok((status, html).into_response())
}

async fn make(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let typed = Typed::of(&fields);
    let AppPasswordWish { label, expires_at, networks, senders, .. } =
        match typed.wish(&visit, visit.texts.not_your_sender()) {
            Ok(wish) => wish,
            Err(wrong) => {
                let confirm = ConfirmForm::of(&current, &visit);
                let refused = (StatusCode::UNPROCESSABLE_ENTITY, None);
                return form(&console, &visit, &current, (typed, wrong), confirm, refused).await;
            }
        };
    let planned = PlannedAppPassword { label, expires_at, networks, senders };
    match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => {
            let number = fields.text("number").parse().unwrap_or_else(|_| Once::number());
            let made = once(&console, &visit, &current, (typed, planned), number).await?;
            Ok((cookie, made).into_response())
        }
        Asked::No(confirm, status) => {
            form(&console, &visit, &current, (typed, Wrong::default()), confirm, (status, None)).await
        }
    }
}

/// Makes it, unless the form was sent before: then it is in the list.
async fn once(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (typed, planned): (Typed, PlannedAppPassword),
    number: u64,
) -> Result<Response, Problem> {
    let (who, t) = (&current.signed_in, visit.texts);
    if !console.once.is_first(who.session.id, number) {
        return Ok(Redirect::to(app_passwords::PATH).into_response());
    }
    let trouble = match console.desk().make_device_link(&current.act(visit), &who.account, planned).await {
        Ok(new) => {
            let made = &new.device_link;
            console.shown_links.keep(who.session.id, &made.id, new.link, made.expires_at);
            return Ok(Redirect::to(&format!("{PATH}/{}", made.id)).into_response());
        }
        Err(trouble) => trouble,
    };
    console.once.forget(who.session.id, number);
    let (wrong, status, refused) = match trouble {
        Trouble::TooManyLinks { limit, .. } => {
            (Wrong::default(), StatusCode::CONFLICT, Some(t.too_many_links(limit)))
        }
        Trouble::NotCovered { .. } => {
            let wrong = Wrong { senders: Some(t.not_your_sender()), ..Wrong::default() };
            (wrong, StatusCode::UNPROCESSABLE_ENTITY, None)
        }
        other => return Err(other.into()),
    };
    form(console, visit, current, (typed, wrong), ConfirmForm::default(), (status, refused)).await
}
