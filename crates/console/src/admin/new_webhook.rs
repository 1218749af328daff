//! A new webhook: where it is and what it is told of, confirmed by an administrator; then its secret, once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;
use desk::Trouble;
use types::WebhookEvent;
use zeroize::Zeroizing;

use super::webhooks::PATH;
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::session::once::Once;
use crate::shown::strangers::plain;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/webhooks/new", Right::Admin, |method| on(method, show)),
    Route::post(PATH, Right::Admin, |method| on(method, add)),
];

/// The form, as it was typed.
#[derive(Debug, Default)]
struct Typed {
    url: String,
    events: Vec<String>,
}

/// What is wrong with what was typed.
#[derive(Debug, Default, Clone, Copy)]
struct Wrong {
    url: Option<&'static str>,
    events: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "admin/webhook_new.html")]
struct Form {
    frame: Frame,
    typed: Typed,
    wrong: Wrong,
    /// What the form as a whole is not taken for.
    refused: Option<String>,
    events: Vec<&'static str>,
    confirm: ConfirmForm,
    number: u64,
}

#[derive(Template)]
#[template(path = "admin/webhook_added.html")]
struct Added {
    frame: Frame,
    id: String,
    url: String,
    secret: Zeroizing<String>,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let confirm = ConfirmForm::of(&current, &visit);
    form(&console, &visit, &current, (Typed::default(), Wrong::default()), confirm, (StatusCode::OK, None))
}

fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (typed, wrong): (Typed, Wrong),
    confirm: ConfirmForm,
    (status, refused): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let frame = Frame::of_administration(console, visit, current, PATH);
    let (events, number) = (WebhookEvent::ALL.map(WebhookEvent::name).to_vec(), Once::number());
    let html = page(&Form { frame, typed, wrong, refused, events, confirm, number })?;
    Ok((status, html).into_response())
}

async fn add(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let url = fields.text("url").to_owned();
    let typed = Typed { url, events: fields.all("event").map(str::to_owned).collect() };
    let Some(events) = typed.events() else {
        let wrong = Wrong { events: Some(visit.texts.event_is_missing()), ..Wrong::default() };
        let refused = (StatusCode::UNPROCESSABLE_ENTITY, None);
        let confirm = ConfirmForm::of(&current, &visit);
        return form(&console, &visit, &current, (typed, wrong), confirm, refused);
    };
    match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => {
            let number = fields.text("number").parse().unwrap_or_default();
            let added = once(&console, &visit, &current, (typed, &events), number).await?;
            Ok((cookie, added).into_response())
        }
        Asked::No(confirm, status) => {
            form(&console, &visit, &current, (typed, Wrong::default()), confirm, (status, None))
        }
    }
}

/// Adds it, unless the form was sent before.
async fn once(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (typed, events): (Typed, &[WebhookEvent]),
    number: u64,
) -> Result<Response, Problem> {
    let (session, t, confirm) = (current.signed_in.session.id, visit.texts, ConfirmForm::default());
    let conflict = |said| (StatusCode::CONFLICT, Some(said));
    if !console.once.is_first(session, number) {
        let refused = conflict(t.webhook_added_already().to_owned());
        return form(console, visit, current, (typed, Wrong::default()), confirm, refused);
    }
    match console.desk().add_webhook(&current.act(visit), &typed.url, events).await {
        Ok(added) => {
            let frame = Frame::of_administration(console, visit, current, PATH);
            let (id, url) = (added.webhook.id, plain(&added.webhook.url));
            Ok(page(&Added { frame, id, url, secret: added.secret })?.into_response())
        }
        Err(trouble) => {
            console.once.forget(session, number);
            let (wrong, refused) = match trouble {
                Trouble::NoWebhookUrl(_) => {
                    let wrong = Wrong { url: Some(t.no_webhook_url()), ..Wrong::default() };
                    (wrong, (StatusCode::UNPROCESSABLE_ENTITY, None))
                }
                Trouble::TooManyWebhooks { limit } => {
                    (Wrong::default(), conflict(t.too_many_webhooks(limit)))
                }
                other => return Err(other.into()),
            };
            form(console, visit, current, (typed, wrong), confirm, refused)
        }
    }
}

impl Typed {
    /// Whether this event was chosen.
    fn has(&self, event: &str) -> bool {
        self.events.iter().any(|chosen| chosen == event)
    }

    /// The events that were chosen; `None` if none was.
    fn events(&self) -> Option<Vec<WebhookEvent>> {
        let events: Option<Vec<WebhookEvent>> = self.events.iter().map(|event| event.parse().ok()).collect();
        events.filter(|events| !events.is_empty())
    }
}
