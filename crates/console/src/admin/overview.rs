//! The first page of administration: the lights, the queue in figures, and who is locked out.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use axum::routing::on;
use store::{Page as ListPage, ThrottleFilter};

use crate::admin::locked_out::LockedOut;
use crate::console::Console;
use crate::frame::{Frame, page};
use crate::lights::ShownLight;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::bytes::size;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/admin";

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::Admin, |method| on(method, show))];

/// Those who are locked out that are shown here.
const LOCKED_OUT: u32 = 100;

#[derive(Template)]
#[template(path = "admin/overview.html")]
struct Page {
    frame: Frame,
    lights: Vec<ShownLight>,
    is_all_well: bool,
    messages: u64,
    octets: String,
    oldest: Option<Time>,
    waiting: u64,
    deferred: u64,
    held: u64,
    failed: u64,
    locked_out: Vec<LockedOut>,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Html<String>, Problem> {
    let known = console.watched.health.known();
    let stats = console.desk().queue_stats().await?;
    let locked_out =
        console.desk().locked_out(&ThrottleFilter::default(), ListPage::first(LOCKED_OUT)).await?;
    page(&Page {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        lights: known.lights.iter().map(|light| ShownLight::of(light, visit.now, visit.texts)).collect(),
        is_all_well: known.is_all_well(),
        messages: stats.entries,
        octets: size(stats.octets),
        oldest: stats.oldest_accepted_at.map(|at| Time::of(at, visit.now, visit.texts)),
        waiting: stats.queued,
        deferred: stats.deferred,
        held: stats.held,
        failed: stats.failed,
        locked_out: locked_out.items.iter().map(|one| LockedOut::of(one, &visit)).collect(),
    })
}
