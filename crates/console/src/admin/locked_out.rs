//! Who is locked out after failed logins, and letting them in.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, Redirect};
use axum::routing::on;
use desk::{Whom, view};
use jiff::Timestamp;
use store::{CountedPlace, Page as ListPage, ThrottleFilter, ThrottleKey, ThrottleKind};

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::list::Query;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::shown::time::end_of_wait;
use crate::visit::Visit;

const PATH: &str = "/admin/locked-out";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::Admin, |method| on(method, list)),
    Route::post("/admin/locked-out/let-in", Right::Admin, |method| on(method, let_in)),
];

/// With so many who are locked out a page is full; it may have more.
const ENOUGH: usize = 50;

/// How often counters are read for one page at most: most of them lock nobody out.
const LOOKS: u32 = 20;

/// How many are read at a time.
const COUNTERS: u32 = 100;

#[derive(Template)]
#[template(path = "admin/locked_out.html")]
struct Page {
    frame: Frame,
    locked_out: Vec<LockedOut>,
    next: Option<String>,
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
            words: visit.texts.failures_until(one.failures, end_of_wait(one.until, visit.now, visit.texts)),
            key,
        }
    }
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Html<String>, Problem> {
    let after = query.after(place)?;
    let (locked_out, next) = found(&console, after).await?;
    page(&Page {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        locked_out: locked_out.iter().map(|one| LockedOut::of(one, &visit)).collect(),
        next: next.map(|place| query.next(PATH, &link(&place))),
    })
}

/// Those behind this place who are locked out, a page full of them, and where there may be more.
async fn found(
    console: &Console,
    mut after: Option<CountedPlace>,
) -> Result<(Vec<view::LockOut>, Option<CountedPlace>), Problem> {
    let (desk, mut found) = (console.desk(), Vec::new());
    for _ in 0..LOOKS {
        let some = desk.locked_out(&ThrottleFilter::default(), ListPage { after, limit: COUNTERS }).await?;
        found.extend(some.items);
        after = some.last;
        if after.is_none() || found.len() >= ENOUGH {
            break;
        }
    }
    Ok((found, after))
}

/// A place among the counters, as a link has it.
fn link((until, key): &CountedPlace) -> String {
    let network = key.network.map(|network| network.to_string()).unwrap_or_default();
    let account = key.account.as_deref().unwrap_or_default();
    format!("{} {} {network} {account}", until.as_millisecond(), key.kind.name())
}

/// The place that a link says.
fn place(text: &str) -> Option<CountedPlace> {
    let mut parts = text.splitn(4, ' ');
    let until = Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok()?;
    let kind = ThrottleKind::from_name(parts.next()?)?;
    let network = parts.next().filter(|text| !text.is_empty()).map(str::parse).transpose().ok()?;
    let account = parts.next().filter(|text| !text.is_empty()).map(str::to_owned);
    Some((until, ThrottleKey { kind, account, network }))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_counter_that_it_was_made_of() {
        let until = Timestamp::from_millisecond(1_800_000_000_123).unwrap();
        for (account, network) in [
            (Some("\"of two\"@example.org"), Some("192.0.2.7/32")),
            (Some("alice@example.org"), None),
            (None, Some("2001:db8::/64")),
        ] {
            let network = network.map(|network| network.parse().unwrap());
            let key =
                ThrottleKey { kind: ThrottleKind::Password, account: account.map(str::to_owned), network };
            // As a query has it: without blanks around it.
            assert_eq!(place(link(&(until, key.clone())).trim()), Some((until, key)));
        }
        assert_eq!(place("1 nothing"), None);
    }
}
