//! What was sent: one's own, and everybody's for administration; taking a message back, and stopping it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::routing::on;
use desk::{Missing, Trouble, view};
use store::QueuedBy;
use types::{QueueId, Scope};

use super::answer::{Done, Shown};
use super::caller::{Caller, Named};
use super::failure::Failure;
use super::filter;
use super::operation::Operation;
use super::paging::{List, Paging};
use crate::console::Console;
use crate::list::Query;
use crate::right::{Right, Route};

const READ: Right = Right::Token(Scope::MessagesRead);
const WRITE: Right = Right::Token(Scope::MessagesWrite);
const READ_ANY: Right = Right::Tokens(Scope::MessagesRead, Scope::AccountsRead);

pub(crate) const ROUTES: &[Route] = &[
    Route::api(Method::GET, "/api/v1/messages", READ, |method| on(method, list), LIST),
    Route::api(Method::GET, "/api/v1/messages/{id}", READ, |method| on(method, show), SHOW),
    Route::api(Method::POST, "/api/v1/messages/{id}/undo", WRITE, |method| on(method, undo), UNDO),
    Route::api(Method::POST, "/api/v1/messages/{id}/stop", WRITE, |method| on(method, stop), STOP),
];

/// Everybody's.
pub(crate) const ROUTES_OF_ANY: &[Route] = &[
    Route::api(Method::GET, "/api/v1/admin/messages", READ_ANY, |method| on(method, list_any), LIST_ANY),
    Route::api(Method::GET, "/api/v1/admin/messages/{id}", READ_ANY, |method| on(method, show_any), SHOW_ANY),
];

const LIST: Operation = Operation::new("listMessages", "Lists what the account has sent, newest first")
    .lists::<view::SentMessage<u32>>("SentMessage")
    .filtered_by(filter::OF_MESSAGES);
const SHOW: Operation =
    Operation::new("getMessage", "Shows a message, its recipients, and what became of each")
        .shows::<view::SentTrace>("SentTrace")
        .or(&["no-message"]);
const UNDO: Operation = Operation::new(
    "undoMessage",
    "Takes a message back before it leaves: nobody gets it, and nobody is told",
)
.or(&["no-message", "too-late", "done", "held"]);
const STOP: Operation =
    Operation::new("stopMessage", "Stops a message for those who do not have it yet; nobody is told").or(&[
        "no-message",
        "done",
        "held",
    ]);
const LIST_ANY: Operation = Operation::new("listAllMessages", "Lists what everybody has sent, newest first")
    .lists::<view::SentMessage<u32>>("SentMessage")
    .filtered_by(filter::OF_ALL_MESSAGES);
const SHOW_ANY: Operation = Operation { id: "getAnyMessage", ..SHOW };

async fn list(
    State(console): State<Arc<Console>>,
    caller: Caller,
    query: Query,
    paging: Paging,
) -> Result<List<view::SentMessage<u32>>, Failure> {
    let wanted = filter::messages(&query, Some(QueuedBy::of(&caller.owner.account)))?;
    Ok(paging.of(console.desk().sent_messages(&wanted, paging.page()?).await?))
}

async fn list_any(
    State(console): State<Arc<Console>>,
    query: Query,
    paging: Paging,
) -> Result<List<view::SentMessage<u32>>, Failure> {
    let account = match query.get("account") {
        Some(address) => Some(console.desk().queued_by(address.to_owned()).await?),
        None => None,
    };
    let wanted = filter::messages(&query, account)?;
    Ok(paging.of(console.desk().sent_messages(&wanted, paging.page()?).await?))
}

async fn show(
    State(console): State<Arc<Console>>,
    caller: Caller,
    named: Named,
) -> Result<Shown<view::SentTrace>, Failure> {
    let id = own(&console, &caller, &named).await?;
    Ok(Shown(console.desk().show_sent(id).await?))
}

async fn show_any(
    State(console): State<Arc<Console>>,
    named: Named,
) -> Result<Shown<view::SentTrace>, Failure> {
    Ok(Shown(console.desk().show_sent(named.read("id")?).await?))
}

async fn undo(State(console): State<Arc<Console>>, caller: Caller, named: Named) -> Result<Done, Failure> {
    let id = own(&console, &caller, &named).await?;
    console.desk().undo_message(&caller.act(), id).await?;
    Ok(Done)
}

async fn stop(State(console): State<Arc<Console>>, caller: Caller, named: Named) -> Result<Done, Failure> {
    let id = own(&console, &caller, &named).await?;
    console.desk().stop_message(&caller.act(), id).await?;
    Ok(Done)
}

/// The message that the path names, if it is one's own; of another's nobody learns that it is there.
async fn own(console: &Console, caller: &Caller, named: &Named) -> Result<QueueId, Failure> {
    let id = named.read("id")?;
    match console.desk().is_sent_by(&caller.owner.account, id).await? {
        true => Ok(id),
        false => Err(Trouble::from(Missing::SentMessage(id.to_string())).into()),
    }
}
