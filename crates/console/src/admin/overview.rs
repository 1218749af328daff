//! The first page of administration: the lights, what is to be looked at, the queue and the last day in figures, who sends most, who is locked
//! out, what was changed.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use axum::routing::on;
use desk::{Trouble, view};
use jiff::{SignedDuration, Timestamp};
use store::{
    Action, AuditFilter, AuditResult, LedgerState, Page as ListPage, Spool as _, Stats, ThrottleFilter,
    Traffic,
};

use super::account::path_of;
use super::incidents::IncidentShown;
use super::locked_out::LockedOut;
use crate::console::Console;
use crate::frame::{Frame, page};
use crate::lights::ShownLight;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::bytes::size;
use crate::shown::hours::Hours;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/admin";

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::Admin, |method| on(method, show))];

/// Counters of failed logins that are looked at here.
const COUNTERS: u32 = 100;

/// Entries of the trail that are looked at for changes: most are logins.
const ENTRIES: u32 = 200;

/// Changes that are shown.
const CHANGES: usize = 8;

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct Page {
    frame: Frame,
    lights: Vec<ShownLight>,
    is_all_well: bool,
    incidents: Vec<IncidentShown>,
    queue: Stats,
    octets: String,
    oldest: Option<Time>,
    handed_in: u64,
    delivered: u64,
    put_off: u64,
    refused: u64,
    hours: Hours,
    busiest: Vec<Busy>,
    locked_out: Vec<LockedOut>,
    changes: Vec<Change>,
}

/// Somebody who sends much.
struct Busy {
    account: String,
    messages: u64,
    recipients: u64,
    /// The page of the account; it may be gone.
    path: Option<String>,
}

/// What was lately changed.
struct Change {
    action: &'static str,
    account: String,
    path: Option<String>,
    by: String,
    at: Time,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Html<String>, Problem> {
    let (desk, watched) = (console.desk(), &console.watched);
    let known = watched.health.known();
    let queue = watched.stats.counted(watched.spool.stats()).await;
    let queue = queue.map_err(|error| Problem::unavailable(&error))?;
    let traffic = traffic(&console, visit.now).await?;
    let locked_out = desk.locked_out(&ThrottleFilter::default(), ListPage::first(COUNTERS)).await?;
    let recipients = |wanted: &[LedgerState]| -> u64 {
        let found = traffic.recipients.iter().filter(|(state, _)| wanted.contains(state));
        found.map(|(_, count)| count).sum()
    };
    page(&Page {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        lights: known.lights.iter().map(|light| ShownLight::of(light, visit.now, visit.texts)).collect(),
        is_all_well: known.is_all_well(),
        incidents: IncidentShown::all(&console, &visit).await?,
        octets: size(queue.octets),
        oldest: queue.oldest.map(|at| Time::of(at, visit.now, visit.texts)),
        queue,
        handed_in: traffic.hours.iter().map(|(_, messages)| messages).sum(),
        delivered: recipients(&[LedgerState::Delivered]),
        put_off: recipients(&[LedgerState::Deferred]),
        refused: recipients(&[LedgerState::Failed]),
        hours: Hours::of(&traffic.hours, visit.now, visit.texts),
        busiest: busiest(&traffic),
        locked_out: locked_out.items.iter().map(|one| LockedOut::of(one, &visit)).collect(),
        changes: changes(&console, &visit).await?,
    })
}

/// What was handed in within the last day, as it was known up to a minute ago.
async fn traffic(console: &Console, now: Timestamp) -> Result<Arc<Traffic>, Trouble> {
    let desk = console.desk();
    let since = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    let counted = async { desk.traffic(since).await.map(Arc::new) };
    console.watched.traffic.counted_for(Duration::from_secs(60), counted).await
}

fn busiest(traffic: &Traffic) -> Vec<Busy> {
    let busy = |one: &store::TrafficOf| Busy {
        account: plain(&one.account),
        messages: one.messages,
        recipients: one.recipients,
        path: page_of(&one.account),
    };
    traffic.busiest.iter().take(5).map(busy).collect()
}

/// The page of an account; `None` for a name that is none of an account, such as that of a machine that mail is taken from.
fn page_of(account: &str) -> Option<String> {
    account.contains('@').then(|| path_of(account))
}

async fn changes(console: &Console, visit: &Visit) -> Result<Vec<Change>, Problem> {
    let filter = AuditFilter { result: Some(AuditResult::Success), ..AuditFilter::default() };
    let entries = console.desk().audit(&filter, ListPage::first(ENTRIES)).await?.items;
    let comings =
        [Action::Login, Action::SignOut, Action::SessionEnd, Action::PasswordRehash].map(Action::name);
    let changes = entries.iter().filter(|entry| !comings.contains(&entry.action));
    Ok(changes.take(CHANGES).map(|entry| Change::of(entry, visit)).collect())
}

impl Change {
    fn of(entry: &view::AuditEntry, visit: &Visit) -> Self {
        let account = entry.account.as_deref().unwrap_or_default();
        Self {
            action: entry.action,
            path: page_of(account),
            account: plain(account),
            by: plain(entry.actor.as_deref().unwrap_or_default()),
            at: Time::of(entry.time, visit.now, visit.texts),
        }
    }
}
