//! The audit trail: who logged in or tried to, and what was changed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use axum::routing::on;
use desk::{audited_name, view};
use store::{Action, AuditFilter, AuditResult, Page as ListPage};

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, audit_link, audit_place, is_full};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

const PATH: &str = "/admin/audit";

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::Admin, |method| on(method, list))];

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct Page {
    frame: Frame,
    account: String,
    /// Each action by its name, and whether it is looked for.
    actions: Vec<(&'static str, bool)>,
    failures: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    at: Time,
    action: &'static str,
    is_success: bool,
    reason: String,
    account: String,
    actor: String,
    ip: String,
    count: u64,
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Html<String>, Problem> {
    let account = query.get("account").map(str::to_owned);
    let action = query.get("action").and_then(|name| name.parse::<Action>().ok());
    let failures = query.get("result") == Some(AuditResult::Failure.name());
    let filter = AuditFilter {
        account: account.clone().map(audited_name),
        action,
        result: failures.then_some(AuditResult::Failure),
        ..AuditFilter::default()
    };
    let listed =
        console.desk().audit(&filter, ListPage { after: query.after(audit_place)?, limit: ROWS }).await?;
    page(&Page {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        account: account.unwrap_or_default(),
        actions: Action::ALL.map(|one| (one.name(), action == Some(one))).into(),
        failures,
        rows: listed.items.iter().map(|entry| Row::of(entry, &visit)).collect(),
        next: listed
            .last
            .filter(|_| is_full(listed.items.len()))
            .map(|last| query.next(PATH, &audit_link(last))),
    })
}

impl Row {
    fn of(entry: &view::AuditEntry, visit: &Visit) -> Self {
        let text = |text: Option<&str>| text.map(plain).unwrap_or_default();
        Self {
            at: Time::of(entry.time, visit.now, visit.texts),
            action: entry.action,
            is_success: entry.result == AuditResult::Success.name(),
            reason: plain(&entry.reason),
            account: text(entry.account.as_deref()),
            actor: text(entry.actor.as_deref()),
            ip: entry.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            count: entry.count,
        }
    }
}
