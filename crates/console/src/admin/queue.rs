//! The queue: what has been accepted and is not yet delivered; holding, releasing, trying again.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::response::{Html, Redirect};
use axum::routing::on;
use desk::{Operated, view};
use store::{Operation, Page as ListPage};
use types::QueueId;

use super::queue_filter::Typed;
use super::{MESSAGES, QUEUE as PATH};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, is_full};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::state::State;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::Admin, |method| on(method, list)),
    Route::post("/admin/queue/{id}/hold", Right::Admin, |method| on(method, hold)),
    Route::post("/admin/queue/{id}/release", Right::Admin, |method| on(method, release)),
    Route::post("/admin/queue/{id}/retry", Right::Admin, |method| on(method, retry)),
];

#[derive(Template)]
#[template(path = "admin/queue.html")]
struct Page {
    frame: Frame,
    filter: Filter,
    rows: Vec<Row>,
    next: Option<String>,
}

/// The filter as it was typed.
struct Filter {
    typed: Typed,
    /// Each state by its name, what it is called, and whether it is looked for.
    states: Vec<(&'static str, &'static str, bool)>,
    /// What of it was not understood.
    wrong: Option<&'static str>,
}

struct Row {
    id: String,
    name: String,
    account: String,
    sender: String,
    recipients: String,
    accepted: Time,
    next: Option<Time>,
    held: bool,
    state: State,
    reply: Option<String>,
}

async fn list(
    Shared(console): Shared<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Html<String>, Problem> {
    let after = query.after(|text| text.parse::<QueueId>().ok())?;
    let typed = Typed::of_query(&query);
    let (listed, wrong) = match typed.meaning(&console, visit.now).await? {
        Some(filter) => (console.desk().list_messages(&filter, ListPage { after, limit: ROWS }).await?, None),
        None => (desk::Listed { items: Vec::new(), last: None }, Some(visit.texts.filter_not_understood())),
    };
    page(&Page {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        filter: Filter::of(typed, &visit, wrong),
        rows: listed.items.iter().map(|message| Row::of(message, &visit)).collect(),
        next: listed
            .last
            .filter(|_| is_full(listed.items.len()))
            .map(|last| query.next(PATH, &last.to_string())),
    })
}

async fn hold(
    console: Shared<Arc<Console>>,
    visit: Visit,
    current: Current,
    id: Path<String>,
    fields: Fields,
) -> Result<Redirect, Problem> {
    operate(&console, &visit, &current, (&id, &fields), Operation::Hold).await
}

async fn release(
    console: Shared<Arc<Console>>,
    visit: Visit,
    current: Current,
    id: Path<String>,
    fields: Fields,
) -> Result<Redirect, Problem> {
    operate(&console, &visit, &current, (&id, &fields), Operation::Release).await
}

async fn retry(
    console: Shared<Arc<Console>>,
    visit: Visit,
    current: Current,
    id: Path<String>,
    fields: Fields,
) -> Result<Redirect, Problem> {
    operate(&console, &visit, &current, (&id, &fields), Operation::Retry).await
}

/// Does it to one message, and leads back to where the button was: to the list as it was filtered, or to the message.
async fn operate(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (id, fields): (&str, &Fields),
    operation: Operation,
) -> Result<Redirect, Problem> {
    let id: QueueId = id.parse().map_err(|_| Problem::NotFound)?;
    let Operated { done, left, .. } =
        console.desk().operate_on(&current.act(visit), operation, &[id]).await?;
    let said = match (done.is_empty(), operation) {
        (false, Operation::Hold) => visit.texts.is_held(),
        (false, Operation::Release) => visit.texts.is_released(),
        (false, _) => visit.texts.is_tried_again(),
        (true, _) => visit.texts.could_not_be_done(),
    };
    let why = left.first().map(|trouble| plain(&trouble.to_string())).unwrap_or_default();
    console.flashes.say(current.signed_in.session.id, format!("{said} {why}").trim().to_owned());
    Ok(match fields.text("from") {
        "message" => Redirect::to(&format!("{MESSAGES}/{id}")),
        _ => Redirect::to(&Typed::of_fields(fields).link(PATH)),
    })
}

impl Filter {
    fn of(typed: Typed, visit: &Visit, wrong: Option<&'static str>) -> Self {
        let chosen = typed.get("state");
        let states = ["queued", "deferred", "held", "failed"];
        let states = states.map(|name| (name, State::of(name, visit.texts).words, chosen == Some(name)));
        Self { states: states.into(), typed, wrong }
    }
}

impl Row {
    fn of(message: &view::Message<u32>, visit: &Visit) -> Self {
        let (t, time) = (visit.texts, |at| Time::of(at, visit.now, visit.texts));
        Self {
            id: message.id.clone(),
            name: plain(message.message_id.as_deref().unwrap_or(&message.id)),
            account: plain(&message.account),
            sender: plain(&message.sender),
            recipients: t.to_recipients(message.recipients),
            accepted: time(message.accepted_at),
            next: message.next_attempt_at.map(time),
            held: message.held,
            state: State::of(message.state, t),
            reply: message.last_reply.as_deref().map(plain),
        }
    }
}
