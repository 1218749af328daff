//! What the audit trail tells about one's own account: who logged in or tried to, by what and where from, and what was changed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;
use desk::{SignInFilter, view};
use jiff::{SignedDuration, Timestamp};
use store::{AuditPlace, Page as ListPage};
use url::form_urlencoded;

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::texts::Texts;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account/sign-ins";

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::SignedIn, |method| on(method, list))];

/// Entries of a page.
const PAGE: u32 = 50;

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

/// What is asked for.
struct Asked {
    failures: bool,
    days: u32,
    after: Option<AuditPlace>,
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    uri: Uri,
) -> Result<Response, Problem> {
    let asked = Asked::of(uri.query().unwrap_or_default());
    let since = (asked.days > 0)
        .then(|| visit.now.saturating_sub(SignedDuration::from_hours(24 * i64::from(asked.days))).ok())
        .flatten();
    let filter = SignInFilter { failures: asked.failures, credential: None, since };
    let place = ListPage { after: asked.after, limit: PAGE };
    let found = console.desk().sign_ins(&current.signed_in.account, filter, place).await?;
    let is_full = found.items.len() == usize::try_from(PAGE).unwrap_or_default();
    let html = page(&ListOf {
        frame: Frame::inside(&console, &visit, &current, PATH),
        entries: found.items.iter().map(|entry| Shown::of(entry, &visit)).collect(),
        older: found.last.filter(|_| is_full).map(|place| asked.link(place)),
        failures: asked.failures,
        days: asked.days,
    })?;
    Ok(html.into_response())
}

impl Asked {
    fn of(query: &str) -> Self {
        let field = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        Self {
            failures: field("failures") == "yes",
            days: field("days").parse().unwrap_or_default(),
            after: place_of(&field("after")),
        }
    }

    /// The page behind this place, with the same filter.
    fn link(&self, (at, number): AuditPlace) -> String {
        let failures = if self.failures { "yes" } else { "" };
        let after = format!("{}.{number}", at.as_millisecond());
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("failures", failures).append_pair("days", &self.days.to_string());
        format!("{PATH}?{}", query.append_pair("after", &after).finish())
    }
}

/// The place in the trail that a link says.
fn place_of(text: &str) -> Option<AuditPlace> {
    let (at, number) = text.split_once('.')?;
    Some((Timestamp::from_millisecond(at.parse().ok()?).ok()?, number.parse().ok()?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_the_place_that_it_was_made_of_with_the_same_filter() {
        let place = (Timestamp::from_millisecond(1_800_000_000_123).unwrap(), 42);
        let asked = Asked { failures: true, days: 7, after: None };
        let link = asked.link(place);
        let again = Asked::of(link.split_once('?').unwrap().1);
        assert_eq!((again.failures, again.days, again.after), (true, 7, Some(place)));
        let nothing = Asked::of("after=x.y&days=-1&failures=no");
        assert_eq!((nothing.failures, nothing.days, nothing.after), (false, 0, None));
    }
}
