//! Who is locked out after failed logins, and letting them in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, Redirect};
use axum::routing::on;
use desk::{Whom, view};
use store::{Page as ListPage, ThrottleFilter};

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::shown::time::clock_time;
use crate::visit::Visit;

const PATH: &str = "/admin/locked-out";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::Admin, |method| on(method, list)),
    Route::post("/admin/locked-out/let-in", Right::Admin, |method| on(method, let_in)),
];

/// More than are looked at on one page.
const MOST: u32 = 1_000;

#[derive(Template)]
#[template(path = "admin/locked_out.html")]
struct Page {
    frame: Frame,
    locked_out: Vec<LockedOut>,
}

/// Somebody who is locked out.
pub(crate) struct LockedOut {
    pub(crate) whom: String,
    pub(crate) words: String,
    /// Who is let in by the button: the account, or else the network.
    pub(crate) key: String,
}

impl LockedOut {
    pub(crate) fn of(one: &view::LockOut, visit: &Visit) -> Self {
        // An account at a familiar network is counted under both.
        let key = one.key.split_whitespace().next().unwrap_or_default().to_owned();
        Self {
            whom: plain(&one.key),
            words: visit.texts.failures_until(one.failures, clock_time(one.until)),
            key,
        }
    }
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Html<String>, Problem> {
    let found = console.desk().locked_out(&ThrottleFilter::default(), ListPage::first(MOST)).await?;
    page(&Page {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        locked_out: found.items.iter().map(|one| LockedOut::of(one, &visit)).collect(),
    })
}

async fn let_in(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Redirect, Problem> {
    let whom: Whom = fields.text("whom").parse().map_err(|_| Problem::NotFound)?;
    console.desk().let_in(&current.act(&visit), &whom).await?;
    console.flashes.say(current.signed_in.session.id, visit.texts.is_let_in(plain(&whom.to_string())));
    Ok(Redirect::to(PATH))
}
