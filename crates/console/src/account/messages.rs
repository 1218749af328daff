//! What one has sent oneself: the list, what became of each, and taking one back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, Redirect, Response};
use axum::routing::on;
use store::{LedgerFilter, LedgerState, Page, QueuedBy};
use types::QueueId;

use super::sign_ins::credentials;
use crate::console::Console;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, is_full};
use crate::messages::{self, ListPage, Row, Trace, TraceAction, TracePage};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account/messages";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::SignedIn, |method| on(method, list)),
    Route::get("/account/messages/{id}", Right::SignedIn, |method| on(method, show)),
    Route::post("/account/messages/{id}/undo", Right::SignedIn, |method| on(method, undo)),
    Route::get("/account/messages/{id}/stop", Right::SignedIn, |method| on(method, ask_stop)),
    Route::post("/account/messages/{id}/stop", Right::SignedIn, |method| on(method, stop)),
];

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Html<String>, Problem> {
    let (desk, account) = (console.desk(), &current.signed_in.account);
    let by = QueuedBy::of(account);
    let recipient = query.get("recipient").map(str::to_owned);
    let state = query.get("state").and_then(LedgerState::from_name);
    let named = query.get("credential").map(str::to_owned);
    let filter = LedgerFilter {
        account: Some(by),
        recipient: recipient.clone(),
        credential: named.clone(),
        state,
        ..LedgerFilter::default()
    };
    let after = query.after(|text| text.parse::<QueueId>().ok())?;
    let listed = desk.sent_messages(&filter, Page { after, limit: ROWS }).await?;
    page(&ListPage {
        frame: Frame::inside(&console, &visit, &current, PATH),
        path: PATH,
        recipient: recipient.unwrap_or_default(),
        account: String::new(),
        credential: String::new(),
        states: messages::states(state, visit.texts),
        credentials: credentials(&console, &current, named.as_deref(), &visit).await?,
        with_accounts: false,
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
    let id = own(&console, &current, &id).await?;
    let desk = console.desk();
    let trace = desk.show_sent(id).await?;
    let mut shown = Trace::of(&trace, &visit);
    if let Some(name) = &trace.message.credential {
        let account = &current.signed_in.account;
        shown.credential = Some(messages::credential(&console, account, name, visit.texts).await?);
    }
    let queued = messages::queued(&console, id).await?;
    let undo_until = messages::undo_until(queued.as_ref(), visit.now);
    let stop =
        TraceAction { path: format!("{PATH}/{id}/stop"), words: visit.texts.stop_trying(), asks: true };
    let can_be_stopped = undo_until.is_none() && messages::can_be_stopped(queued.as_ref());
    page(&TracePage {
        frame: Frame::inside(&console, &visit, &current, PATH),
        path: PATH,
        id: id.to_string(),
        trace: shown,
        undo_until: undo_until.map(|until| Time::of(until, visit.now, visit.texts)),
        actions: can_be_stopped.then_some(stop).into_iter().collect(),
    })
}

async fn undo(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let id = own(&console, &current, &id).await?;
    let said = messages::undo(&console, &visit, &current, id).await?;
    console.flashes.say(current.signed_in.session.id, said.to_owned());
    // Not to its own page: the ledger hears of a message a second later, and the queue has it no more.
    Ok(Redirect::to(PATH))
}

async fn ask_stop(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = own(&console, &current, &id).await?;
    let frame = Frame::inside(&console, &visit, &current, PATH);
    messages::stop_question(&console, &visit, frame, PATH, id).await
}

async fn stop(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let id = own(&console, &current, &id).await?;
    let said = messages::stop(&console, &visit, &current, id).await?;
    console.flashes.say(current.signed_in.session.id, said.to_owned());
    Ok(Redirect::to(PATH))
}

/// The message with this identifier, if it is one's own; of another's nobody learns that it is there.
async fn own(console: &Console, current: &Current, id: &str) -> Result<QueueId, Problem> {
    let id: QueueId = id.parse().map_err(|_| Problem::NotFound)?;
    match console.desk().is_sent_by(&current.signed_in.account, id).await? {
        true => Ok(id),
        false => Err(Problem::NotFound),
    }
}
