//! A new link for a device: what its app password will be, confirmed by its owner.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{AppPasswordWish, DeviceWish, Trouble};

use super::app_passwords;
use crate::app_password_form::{Typed, Wrong, senders_of};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
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
    let html = page(&Form { frame, typed, wrong, refused, senders, confirm })?;
    Ok((status, html).into_response())
}

async fn make(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let typed = Typed::of(&fields);
    let AppPasswordWish { label, expires_at, senders, .. } =
        match typed.wish(&visit, visit.texts.not_your_sender()) {
            Ok(wish) => wish,
            Err(wrong) => {
                let confirm = ConfirmForm::of(&current, &visit);
                let refused = (StatusCode::UNPROCESSABLE_ENTITY, None);
                return form(&console, &visit, &current, (typed, wrong), confirm, refused).await;
            }
        };
    let wish = DeviceWish { label, expires_at, senders };
    match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => {
            let made = confirmed(&console, &visit, &current, typed, &wish).await?;
            Ok((cookie, made).into_response())
        }
        Asked::No(confirm, status) => {
            form(&console, &visit, &current, (typed, Wrong::default()), confirm, (status, None)).await
        }
    }
}

async fn confirmed(
    console: &Console,
    visit: &Visit,
    current: &Current,
    typed: Typed,
    wish: &DeviceWish,
) -> Result<Response, Problem> {
    let (who, t) = (&current.signed_in, visit.texts);
    let trouble = match console.desk().make_device_link(&current.act(visit), &who.account, wish).await {
        Ok(new) => {
            let made = &new.device_link;
            console.shown_links.keep(who.session.id, &made.id, new.link, made.expires_at);
            return Ok(Redirect::to(&format!("{PATH}/{}", made.id)).into_response());
        }
        Err(trouble) => trouble,
    };
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
