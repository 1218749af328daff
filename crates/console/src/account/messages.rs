//! What one has sent oneself: the list, what became of each, and taking one back.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, Redirect};
use axum::routing::on;
use desk::Trouble;
use jiff::Timestamp;
use store::{LedgerFilter, Page, QueuedBy};
use types::QueueId;

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, is_full};
use crate::messages::{ListPage, Row, Trace, TracePage};
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
    let filter = LedgerFilter { account: Some(by), recipient: recipient.clone(), ..LedgerFilter::default() };
    let after = query.after(|text| text.parse::<QueueId>().ok())?;
    let listed = desk.sent_messages(&filter, Page { after, limit: ROWS }).await?;
    page(&ListPage {
        frame: Frame::inside(&console, &visit, &current, PATH),
        path: PATH,
        recipient: recipient.unwrap_or_default(),
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
    let trace = console.desk().show_sent(id).await?;
    let undo_until = undo_until(&console, id, visit.now).await?;
    page(&TracePage {
        frame: Frame::inside(&console, &visit, &current, PATH),
        path: PATH,
        id: id.to_string(),
        trace: Trace::of(&trace, &visit),
        undo_until: undo_until.map(|until| Time::of(until, visit.now, visit.texts)),
    })
}

async fn undo(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let id = own(&console, &current, &id).await?;
    let said = match console.desk().undo_message(&current.act(&visit), id).await {
        Ok(()) => visit.texts.taken_back(),
        Err(Trouble::TooLate { .. } | Trouble::Done { .. }) => visit.texts.on_its_way(),
        Err(Trouble::Withheld(_)) => visit.texts.held_by_administration(),
        Err(other) => return Err(other.into()),
    };
    console.flashes.say(current.signed_in.session.id, said.to_owned());
    // Not to its own page: the ledger hears of a message a second later, and the queue has it no more.
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

/// Until when the message can be taken back, if it can now.
async fn undo_until(console: &Console, id: QueueId, now: Timestamp) -> Result<Option<Timestamp>, Problem> {
    let message = match console.desk().show_message(id).await {
        Err(Trouble::Missing(_)) => return Ok(None),
        found => found?,
    };
    let is_untouched =
        message.recipients.iter().all(|one| one.known.state == "queued" && one.known.attempts == 0);
    Ok(message.not_before.filter(|until| is_untouched && !message.held && *until > now))
}
