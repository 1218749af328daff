//! The queue: what has been accepted and is not yet delivered, and what operators do about it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::routing::on;
use desk::view;
use store::Operation as Does;
use types::{QueueId, Scope};

use super::answer::{Done, Shown};
use super::caller::{Caller, Named};
use super::failure::Failure;
use super::operation::Operation;
use super::paging::{List, Paging};
use super::queue_filter::{PARAMETERS, Words};
use crate::console::Console;
use crate::list::Query;
use crate::problem::Problem;
use crate::right::{Right, Route};

const READ: Right = Right::Token(Scope::QueueRead);
const WRITE: Right = Right::Token(Scope::QueueWrite);

pub(crate) const ROUTES: &[Route] = &[
    Route::api(Method::GET, "/api/v1/admin/queue", READ, |method| on(method, list), LIST),
    Route::api(Method::GET, "/api/v1/admin/queue/stats", READ, |method| on(method, stats), STATS),
    Route::api(Method::GET, "/api/v1/admin/queue/{id}", READ, |method| on(method, show), SHOW),
    Route::api(Method::POST, "/api/v1/admin/queue/{id}/hold", WRITE, |method| on(method, hold), HOLD),
    Route::api(
        Method::POST,
        "/api/v1/admin/queue/{id}/release",
        WRITE,
        |method| on(method, release),
        RELEASE,
    ),
    Route::api(Method::POST, "/api/v1/admin/queue/{id}/retry", WRITE, |method| on(method, retry), RETRY),
    Route::api(Method::POST, "/api/v1/admin/queue/{id}/bounce", WRITE, |method| on(method, bounce), BOUNCE),
    Route::api(Method::DELETE, "/api/v1/admin/queue/{id}", WRITE, |method| on(method, remove), REMOVE),
];

const LIST: Operation = Operation::new("listQueue", "Lists the messages that wait, oldest first")
    .lists::<view::Message<u32>>("QueuedMessage")
    .filtered_by(PARAMETERS);
const STATS: Operation =
    Operation::new("getQueueStats", "Shows the queue in figures").shows::<view::Stats>("QueueStats");
const SHOW: Operation =
    Operation::new("getQueuedMessage", "Shows a message that waits, and each of its recipients")
        .shows::<view::Message<Vec<view::QueuedRecipient>>>("QueuedMessageWithRecipients")
        .or(&["no-message"]);
const HOLD: Operation =
    Operation::new("holdMessage", "Keeps a message from being delivered until it is released")
        .or(&["no-message"]);
const RELEASE: Operation = Operation::new("releaseMessage", "Lets a held message go").or(&[
    "no-message",
    "held-by-route",
    "damaged-message",
]);
const RETRY: Operation =
    Operation::new("retryMessage", "Tries a message again now").or(&["no-message", "held"]);
const BOUNCE: Operation = Operation::new(
    "bounceMessage",
    "Returns a message to its sender undelivered, who is told that an administrator did so",
)
.or(&["no-message", "nobody-to-tell", "damaged-message"]);
const REMOVE: Operation =
    Operation::new("removeMessage", "Removes a message undelivered; nobody is told").or(&["no-message"]);

async fn list(
    State(console): State<Arc<Console>>,
    caller: Caller,
    query: Query,
    paging: Paging,
) -> Result<List<view::Message<u32>>, Failure> {
    let wanted = Words::of_query(&query)?.meaning(&console, caller.now).await?;
    Ok(paging.of(console.desk().list_messages(&wanted, paging.page()?).await?))
}

async fn stats(State(console): State<Arc<Console>>) -> Result<Shown<view::Stats>, Failure> {
    Ok(Shown(console.desk().queue_stats().await?))
}

async fn show(
    State(console): State<Arc<Console>>,
    named: Named,
) -> Result<Shown<view::Message<Vec<view::QueuedRecipient>>>, Failure> {
    Ok(Shown(console.desk().show_message(named.read("id")?).await?))
}

async fn hold(console: State<Arc<Console>>, caller: Caller, named: Named) -> Result<Done, Failure> {
    operate(&console, &caller, &named, Does::Hold).await
}

async fn release(console: State<Arc<Console>>, caller: Caller, named: Named) -> Result<Done, Failure> {
    operate(&console, &caller, &named, Does::Release).await
}

async fn retry(console: State<Arc<Console>>, caller: Caller, named: Named) -> Result<Done, Failure> {
    operate(&console, &caller, &named, Does::Retry).await
}

async fn bounce(console: State<Arc<Console>>, caller: Caller, named: Named) -> Result<Done, Failure> {
    operate(&console, &caller, &named, Does::Bounce).await
}

async fn remove(console: State<Arc<Console>>, caller: Caller, named: Named) -> Result<Done, Failure> {
    operate(&console, &caller, &named, Does::Remove).await
}

async fn operate(
    console: &Console,
    caller: &Caller,
    named: &Named,
    operation: Does,
) -> Result<Done, Failure> {
    let id: QueueId = named.read("id")?;
    let operated = console.desk().operate_on(&caller.act(), operation, &[id]).await?;
    match operated.broken_off.or_else(|| operated.left.into_iter().next()) {
        Some(trouble) => Err(trouble.into()),
        None if operated.done.is_empty() => Err(Failure::from(Problem::NotFound)),
        None => Ok(Done),
    }
}
