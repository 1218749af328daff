//! What was sent by all accounts, and what became of it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::on;
use store::{LedgerFilter, Page};
use types::QueueId;

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, is_full};
use crate::messages::{ListPage, Row, Trace, TracePage};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::visit::Visit;

const PATH: &str = "/admin/messages";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::Admin, |method| on(method, list)),
    Route::get("/admin/messages/{id}", Right::Admin, |method| on(method, show)),
];

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Html<String>, Problem> {
    let recipient = query.get("recipient").map(str::to_owned);
    let filter = LedgerFilter { recipient: recipient.clone(), ..LedgerFilter::default() };
    let after = query.after(|text| text.parse::<QueueId>().ok())?;
    let listed = console.desk().sent_messages(&filter, Page { after, limit: ROWS }).await?;
    page(&ListPage {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        path: PATH,
        recipient: recipient.unwrap_or_default(),
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
    page(&TracePage {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        path: PATH,
        id: id.to_string(),
        trace: Trace::of(&trace, &visit),
        undo_until: None,
    })
}
