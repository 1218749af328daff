//! The audit trail: who logged in or tried to, and what was changed.

pub(crate) mod download;

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use axum::routing::on;
use desk::{audited_name, view};
use jiff::{SignedDuration, Timestamp};
use store::{Action, AuditFilter, AuditResult, Page as ListPage};

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, audit_link, audit_place, is_full};
use crate::networks::network;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

const PATH: &str = "/admin/audit";

/// The same as files.
const CSV: &str = "/admin/audit.csv";
const JSON: &str = "/admin/audit.json";

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::Admin, |method| on(method, list))];

/// How far back, in days, that there are choices for.
const DAYS: [u32; 3] = [1, 7, 30];

#[derive(Template)]
#[template(path = "admin/audit.html")]
struct Page {
    frame: Frame,
    account: String,
    actor: String,
    network: String,
    /// Each action by its name, and whether it is looked for.
    actions: Vec<(&'static str, bool)>,
    /// Each choice of days, and whether it is looked at.
    days: Vec<(u32, bool)>,
    failures: bool,
    /// What of the filter was not understood.
    wrong: Option<&'static str>,
    csv: String,
    json: String,
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
    via: &'static str,
    ip: String,
    count: u64,
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Html<String>, Problem> {
    let text = |name| query.get(name).unwrap_or_default().to_owned();
    let after = query.after(audit_place)?;
    let (listed, wrong) = match meaning(&query, visit.now) {
        Some(filter) => (console.desk().audit(&filter, ListPage { after, limit: ROWS }).await?, None),
        None => (desk::Listed { items: Vec::new(), last: None }, Some(visit.texts.trail_not_understood())),
    };
    page(&Page {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        account: text("account"),
        actor: text("actor"),
        network: text("network"),
        actions: Action::ALL.map(|one| (one.name(), query.get("action") == Some(one.name()))).into(),
        days: DAYS.map(|days| (days, query.get("since") == Some(format!("{days}d").as_str()))).into(),
        failures: query.get("result") == Some(AuditResult::Failure.name()),
        wrong,
        csv: query.elsewhere(CSV),
        json: query.elsewhere(JSON),
        rows: listed.items.iter().map(|entry| Row::of(entry, &visit)).collect(),
        next: listed
            .last
            .filter(|_| is_full(listed.items.len()))
            .map(|last| query.next(PATH, &audit_link(last))),
    })
}

/// What is looked for; `None` if some of it can't be: it would look as if nothing were there.
fn meaning(query: &Query, now: Timestamp) -> Option<AuditFilter> {
    let action = query.get("action").map(str::parse::<Action>).transpose().ok()?;
    let result = query.get("result").map(|name| AuditResult::from_name(name).ok_or(())).transpose().ok()?;
    let network = query.get("network").map(|text| network(text).ok_or(())).transpose().ok()?;
    let since = query.get("since").map(|text| since(text, now).ok_or(())).transpose().ok()?;
    Some(AuditFilter {
        account: query.get("account").map(|name| audited_name(name.to_owned())),
        actor: query.get("actor").map(str::to_owned),
        action,
        result,
        network,
        since,
        ..AuditFilter::default()
    })
}

/// So many days ago, such as `7d`.
fn since(text: &str, now: Timestamp) -> Option<Timestamp> {
    let days: u32 = text.strip_suffix('d')?.parse().ok()?;
    now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).ok()
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
            via: entry.via.unwrap_or_default(),
            ip: entry.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            count: entry.count,
        }
    }
}
