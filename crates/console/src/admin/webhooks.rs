//! Webhooks: whom the server tells of what happens, what became of it, trying one, telling again, and removing one, which asks before.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::view;
use store::Page as ListPage;

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::list::{self, Query};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/admin/webhooks";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::Admin, |method| on(method, all)),
    Route::get("/admin/webhooks/{id}", Right::Admin, |method| on(method, show)),
    Route::post("/admin/webhooks/{id}/test", Right::Admin, |method| on(method, test)),
    Route::post("/admin/webhooks/{id}/deliveries/{delivery}/repeat", Right::Admin, |method| {
        on(method, repeat)
    }),
    Route::get("/admin/webhooks/{id}/remove", Right::Admin, |method| on(method, ask)),
    Route::post("/admin/webhooks/{id}/remove", Right::Admin, |method| on(method, remove)),
];

#[derive(Template)]
#[template(path = "admin/webhooks.html")]
struct ListOf {
    frame: Frame,
    all: Vec<WebhookShown>,
}

#[derive(Template)]
#[template(path = "admin/webhook.html")]
struct One {
    frame: Frame,
    one: WebhookShown,
    deliveries: Vec<DeliveryShown>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/webhook_remove.html")]
struct Question {
    frame: Frame,
    one: WebhookShown,
}

/// A webhook, as an administrator sees it.
struct WebhookShown {
    id: String,
    url: String,
    events: String,
    added: Time,
    failing: Option<Time>,
    off: Option<Time>,
}

impl WebhookShown {
    fn of(view: &view::Webhook, visit: &Visit) -> Self {
        let time = |at| Time::of(at, visit.now, visit.texts);
        Self {
            id: view.id.clone(),
            url: plain(&view.url),
            events: view.events.join(", "),
            added: time(view.created_at),
            failing: view.failing_since.map(time),
            off: view.disabled_at.map(time),
        }
    }
}

/// A delivery, as an administrator sees it.
struct DeliveryShown {
    id: String,
    event: &'static str,
    made: Time,
    /// What became of it, and the class of its colours.
    state: (&'static str, &'static str),
    attempts: u32,
    next: Option<Time>,
    /// The last answer, or what went wrong before there was one.
    said: Option<String>,
}

impl DeliveryShown {
    fn of(view: &view::WebhookDelivery, visit: &Visit) -> Self {
        let t = visit.texts;
        let time = |at| Time::of(at, visit.now, t);
        Self {
            id: view.id.clone(),
            event: view.event,
            made: time(view.created_at),
            state: match view.state {
                "delivered" => ("good", t.was_taken()),
                "waiting" => ("wait", t.waiting()),
                _ => ("bad", t.given_up()),
            },
            attempts: view.attempts,
            next: view.next_attempt_at.map(time),
            said: view.status.map(|status| status.to_string()).or(view.error.as_deref().map(plain)),
        }
    }
}

async fn all(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let all = console.desk().webhooks().await?;
    let all = all.iter().map(|one| WebhookShown::of(one, &visit)).collect();
    let frame = Frame::of_administration(&console, &visit, &current, PATH);
    Ok(page(&ListOf { frame, all })?.into_response())
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
    query: Query,
) -> Result<Response, Problem> {
    let (desk, after) = (console.desk(), query.after(|text| text.parse().ok())?);
    let view = desk.show_webhook(&id).await?;
    let some = desk.webhook_deliveries(&id, ListPage { after, limit: list::ROWS }).await?;
    let last = some.last.filter(|_| list::is_full(some.items.len()));
    let html = page(&One {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        next: last.map(|last| query.next(&format!("{PATH}/{}", view.id), &last.to_string())),
        one: WebhookShown::of(&view, &visit),
        deliveries: some.items.iter().map(|one| DeliveryShown::of(one, &visit)).collect(),
    })?;
    Ok(html.into_response())
}

async fn test(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    console.desk().test_webhook(&current.act(&visit), &id).await?;
    back(&console, &current, &id, visit.texts.it_is_told())
}

async fn repeat(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<Response, Problem> {
    console.desk().repeat_webhook_delivery(&id, &delivery).await?;
    back(&console, &current, &id, visit.texts.it_is_told())
}

/// To the page of a webhook that there is, where this is said.
fn back(console: &Console, current: &Current, id: &str, said: &str) -> Result<Response, Problem> {
    console.flashes.say(current.signed_in.session.id, said.to_owned());
    Ok(Redirect::to(&format!("{PATH}/{id}")).into_response())
}

async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let view = console.desk().show_webhook(&id).await?;
    let frame = Frame::of_administration(&console, &visit, &current, PATH);
    Ok(page(&Question { frame, one: WebhookShown::of(&view, &visit) })?.into_response())
}

async fn remove(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let removed = console.desk().remove_webhook(&current.act(&visit), &id).await?;
    console.flashes.say(current.signed_in.session.id, visit.texts.webhook_removed(plain(&removed.url)));
    Ok(Redirect::to(PATH).into_response())
}
