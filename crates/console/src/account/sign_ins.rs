//! What the audit trail tells about one's own account: who logged in or tried to, by what and where from, and what was changed; and what its owner
//! is asked about.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;
use desk::{SignInFilter, view};
use jiff::SignedDuration;
use store::{Action, AuditResult, Page as ListPage};

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, audit_link, audit_place, is_full};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::action;
use crate::shown::place::{PlaceShown, credential, purpose};
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account/sign-ins";

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::SignedIn, |method| on(method, list))];

#[derive(Template)]
#[template(path = "account/trail.html")]
struct ListOf {
    frame: Frame,
    asked: Vec<PlaceShown>,
    entries: Vec<Shown>,
    failures: bool,
    /// Days back; 0 for all that there is.
    days: u32,
    /// Each credential by its name in the trail, what it is called, and whether it is looked for.
    credentials: Vec<(String, String, bool)>,
    /// Where the older ones are.
    older: Option<String>,
}

/// An entry, as the owner of the account sees it.
struct Shown {
    what: String,
    is_failure: bool,
    /// By which credential somebody logged in, or what was changed.
    by: Option<String>,
    about: Option<String>,
    /// Who changed it.
    who: Option<String>,
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
    let (desk, who) = (console.desk(), &current.signed_in);
    let failures = query.get("failures") == Some("yes");
    let days: u32 = query.get("days").and_then(|days| days.parse().ok()).unwrap_or_default();
    let since = (days > 0)
        .then(|| visit.now.saturating_sub(SignedDuration::from_hours(24 * i64::from(days))).ok())
        .flatten();
    let named = query.get("credential").map(str::to_owned);
    let result = failures.then_some(AuditResult::Failure);
    let filter = SignInFilter { result, credential: named.clone(), since, action: None };
    // A place that is none is the beginning.
    let place = ListPage { after: query.get("after").and_then(audit_place), limit: ROWS };
    let found = desk.sign_ins(&who.account, filter, place).await?;
    let asked = desk.unfamiliar_sign_ins(who).await?;
    let html = page(&ListOf {
        frame: Frame::inside(&console, &visit, &current, PATH),
        asked: asked.iter().map(|place| PlaceShown::of(place, &visit)).collect(),
        entries: found.items.iter().map(|entry| Shown::of(entry, &current, &visit)).collect(),
        credentials: credentials(&console, &current, named.as_deref(), &visit).await?,
        older: found
            .last
            .filter(|_| is_full(found.items.len()))
            .map(|last| query.next(PATH, &audit_link(last))),
        failures,
        days,
    })?;
    Ok(html.into_response())
}

/// What may be looked for: each credential that there is or was, and the one that is asked for.
pub(super) async fn credentials(
    console: &Console,
    current: &Current,
    chosen: Option<&str>,
    visit: &Visit,
) -> Result<Vec<(String, String, bool)>, Problem> {
    let mut all = console.desk().credentials(&current.signed_in.account).await?;
    if let Some(chosen) = chosen.filter(|chosen| !all.iter().any(|(name, _)| name == chosen)) {
        all.push((chosen.to_owned(), None));
    }
    let shown = |(name, label): (String, Option<String>)| {
        let words = credential(&name, label.as_deref(), visit.texts);
        let is_chosen = chosen == Some(&name);
        (name, words, is_chosen)
    };
    Ok(all.into_iter().map(shown).collect())
}

impl Shown {
    fn of(shown: &view::SignIn, current: &Current, visit: &Visit) -> Self {
        let (entry, t) = (&shown.entry, visit.texts);
        let is_login = entry.action == Action::Login.name();
        let scope = entry.scope.as_deref().unwrap_or_default();
        let what = if is_login { purpose(scope, t) } else { action::words(entry.action, t) };
        let named = entry.credential.as_deref();
        let named = named.map(|name| credential(name, shown.label.as_deref(), t));
        let (by, about) = match is_login {
            true => (Some(named.unwrap_or_else(|| t.not_known_by_what().to_owned())), None),
            false => (None, named),
        };
        Self {
            what: what.to_owned(),
            is_failure: entry.result != "success",
            by,
            about,
            who: (!is_login)
                .then(|| entry.actor.as_deref().map(|actor| who(actor, current, visit)))
                .flatten(),
            at: Time::of(entry.time, visit.now, t),
            from: entry.ip.map(|ip| ip.to_string()),
            is_new: shown.new_network,
            times: (entry.count > 1).then(|| t.times(entry.count)),
        }
    }
}

/// Who changed something: the owner, the server, or an administrator by name.
fn who(actor: &str, current: &Current, visit: &Visit) -> String {
    match actor {
        "server" => visit.texts.the_server().to_owned(),
        own if own == current.signed_in.account.address.normal() => visit.texts.you().to_owned(),
        other => plain(other),
    }
}
