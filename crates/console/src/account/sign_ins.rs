//! What the audit trail tells about one's own account: who logged in or tried to, by what and where from, and what was changed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;
use desk::{SignInFilter, view};
use jiff::SignedDuration;
use store::Page as ListPage;

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, audit_link, audit_place, is_full};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::texts::Texts;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account/sign-ins";

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::SignedIn, |method| on(method, list))];

#[derive(Template)]
#[template(path = "account/trail.html")]
struct ListOf {
    frame: Frame,
    entries: Vec<Shown>,
    failures: bool,
    /// Days back; 0 for all that there is.
    days: u32,
    /// Where the older ones are.
    older: Option<String>,
}

/// An entry, as the owner of the account sees it.
struct Shown {
    what: String,
    is_failure: bool,
    by: String,
    at: Time,
    from: Option<String>,
    is_new: bool,
    times: Option<String>,
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Response, Problem> {
    let failures = query.get("failures") == Some("yes");
    let days: u32 = query.get("days").and_then(|days| days.parse().ok()).unwrap_or_default();
    let since = (days > 0)
        .then(|| visit.now.saturating_sub(SignedDuration::from_hours(24 * i64::from(days))).ok())
        .flatten();
    let filter = SignInFilter { failures, credential: None, since };
    // A place that is none is the beginning.
    let place = ListPage { after: query.get("after").and_then(audit_place), limit: ROWS };
    let found = console.desk().sign_ins(&current.signed_in.account, filter, place).await?;
    let html = page(&ListOf {
        frame: Frame::inside(&console, &visit, &current, PATH),
        entries: found.items.iter().map(|entry| Shown::of(entry, &visit)).collect(),
        older: found
            .last
            .filter(|_| is_full(found.items.len()))
            .map(|last| query.next(PATH, &audit_link(last))),
        failures,
        days,
    })?;
    Ok(html.into_response())
}

impl Shown {
    fn of(shown: &view::SignIn, visit: &Visit) -> Self {
        let (entry, t) = (&shown.entry, visit.texts);
        Self {
            what: what(entry, t),
            is_failure: entry.result != "success",
            by: by(shown, t),
            at: Time::of(entry.time, visit.now, t),
            from: entry.ip.map(|ip| ip.to_string()),
            is_new: shown.new_network,
            times: (entry.count > 1).then(|| t.times(entry.count)),
        }
    }
}

fn what(entry: &view::AuditEntry, t: Texts) -> String {
    match (entry.action, entry.scope.as_deref()) {
        ("login", Some("master")) => t.on_these_pages().to_owned(),
        ("login", _) => t.for_mail().to_owned(),
        (action, _) => action.to_owned(),
    }
}

fn by(shown: &view::SignIn, t: Texts) -> String {
    match (&shown.label, shown.entry.credential.as_deref()) {
        (Some(label), _) => plain(label),
        (None, Some("password")) => t.the_account_password().to_owned(),
        (None, Some(other)) => plain(other),
        (None, None) => String::new(),
    }
}
