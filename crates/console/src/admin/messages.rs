//! What was sent by all accounts, and what became of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, Redirect, Response};
use axum::routing::on;
use desk::{Trouble, view};
use store::{LedgerFilter, Page};
use types::{Mailbox, QueueId};

use super::{MESSAGES as PATH, QUEUE};
use crate::console::Console;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, is_full};
use crate::messages::{self, ListPage, Queued, Row, Trace, TraceAction, TracePage};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::place;
use crate::shown::time::Time;
use crate::texts::Texts;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::Admin, |method| on(method, list)),
    Route::get("/admin/messages/{id}", Right::Admin, |method| on(method, show)),
    Route::post("/admin/messages/{id}/undo", Right::Admin, |method| on(method, undo)),
    Route::get("/admin/messages/{id}/stop", Right::Admin, |method| on(method, ask_stop)),
    Route::post("/admin/messages/{id}/stop", Right::Admin, |method| on(method, stop)),
];

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Html<String>, Problem> {
    let recipient = query.get("recipient").map(str::to_owned);
    let (address, credential) =
        (query.get("account").map(str::to_owned), query.get("credential").map(str::to_owned));
    let account = match &address {
        Some(address) => Some(console.desk().queued_by(address.clone()).await?),
        None => None,
    };
    let filter = LedgerFilter {
        account,
        credential: credential.clone(),
        recipient: recipient.clone(),
        ..LedgerFilter::default()
    };
    let after = query.after(|text| text.parse::<QueueId>().ok())?;
    let listed = console.desk().sent_messages(&filter, Page { after, limit: ROWS }).await?;
    page(&ListPage {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        path: PATH,
        recipient: recipient.unwrap_or_default(),
        account: address.unwrap_or_default(),
        credential: credential.unwrap_or_default(),
        states: Vec::new(),
        credentials: Vec::new(),
        with_accounts: true,
        rows: listed.items.iter().map(|message| Row::of(message, &visit)).collect(),
        next: listed
            .last
            .filter(|_| is_full(listed.items.len()))
            .map(|last| query.next(PATH, &last.to_string())),
    })
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Html<String>, Problem> {
    let id: QueueId = id.parse().map_err(|_| Problem::NotFound)?;
    let trace = console.desk().show_sent(id).await?;
    let mut shown = Trace::of(&trace, &visit);
    shown.credential = credential(&console, &trace, visit.texts).await?;
    let queued = messages::queued(&console, id).await?;
    let undo_until = messages::undo_until(queued.as_ref(), visit.now);
    page(&TracePage {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        path: PATH,
        id: id.to_string(),
        trace: shown,
        undo_until: undo_until.map(|until| Time::of(until, visit.now, visit.texts)),
        actions: actions(id, queued.as_ref(), visit.texts),
    })
}

/// What its owner calls what the message was handed in with, as long as there is an account by its address.
async fn credential(console: &Console, trace: &view::SentTrace, t: Texts) -> Result<Option<String>, Problem> {
    let message = &trace.message;
    let Some(name) = &message.credential else { return Ok(None) };
    let Ok(address) = Mailbox::parse(&message.account) else {
        return Ok(Some(place::credential(name, None, t)));
    };
    match console.desk().find(&address).await {
        Ok(account) => messages::credential(console, &account, name, t).await.map(Some),
        Err(Trouble::Missing(_)) => Ok(Some(place::credential(name, None, t))),
        Err(other) => Err(other.into()),
    }
}

/// What can be done about a message as long as it is in the queue.
fn actions(id: QueueId, queued: Option<&Queued>, t: Texts) -> Vec<TraceAction> {
    let Some(message) = queued else { return Vec::new() };
    let at_once = |verb, words| TraceAction { path: format!("{QUEUE}/{id}/{verb}"), words, asks: false };
    let asked = |verb, words| TraceAction { path: format!("{QUEUE}/ask/{verb}?id={id}"), words, asks: true };
    let mut actions = match message.held {
        true => vec![at_once("release", t.release())],
        false => vec![at_once("retry", t.try_again_now()), at_once("hold", t.hold())],
    };
    if messages::can_be_stopped(queued) {
        actions.push(TraceAction { path: format!("{PATH}/{id}/stop"), words: t.stop_trying(), asks: true });
    }
    actions.extend([asked("bounce", t.return_to_sender()), asked("remove", t.remove_for_good())]);
    actions
}

async fn undo(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let id: QueueId = id.parse().map_err(|_| Problem::NotFound)?;
    let said = messages::undo(&console, &visit, &current, id).await?;
    console.flashes.say(current.signed_in.session.id, said.to_owned());
    Ok(Redirect::to(PATH))
}

async fn ask_stop(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id: QueueId = id.parse().map_err(|_| Problem::NotFound)?;
    let frame = Frame::of_administration(&console, &visit, &current, PATH);
    messages::stop_question(&console, &visit, frame, PATH, id).await
}

async fn stop(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let id: QueueId = id.parse().map_err(|_| Problem::NotFound)?;
    let said = messages::stop(&console, &visit, &current, id).await?;
    console.flashes.say(current.signed_in.session.id, said.to_owned());
    Ok(Redirect::to(PATH))
}
