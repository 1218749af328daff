//! Finding the link that somebody has come with.

use std::time::Duration;

use auth::{EnrolmentLink, Origin};
use axum::http::HeaderMap;
use desk::{FoundLink, LinkBrowser};
use store::Act;
use tokio::time::Instant;
use types::Secret;

use crate::console::Console;
use crate::frame::Frame;
use crate::problem::Problem;
use crate::session::before;
use crate::session::cookie::{Cookie, NewCookie};
use crate::visit::Visit;

/// The link whose end this is, however it stands.
///
/// # Errors
/// [`Problem::NotFound`] if there is none: the same as for one that is used, withdrawn or over. [`Problem::TooMany`] for a network that has tried
/// too much.
pub(crate) async fn find(console: &Console, visit: &Visit, text: &str) -> Result<FoundLink, Problem> {
    let origin = Origin::web(&visit.facts);
    let shut_out = console.judge.links_shut_out(&origin).await;
    if let Some(until) = shut_out.map_err(|error| Problem::unavailable(&error))? {
        let wait = until.duration_since(visit.now);
        return Err(Problem::TooMany { wait: Duration::try_from(wait).unwrap_or_default() });
    }
    let found = match EnrolmentLink::parse(text) {
        Some(link) => console.desk().find_link(&link).await?,
        None => None,
    };
    match found {
        Some(found) => Ok(found),
        None => Err(unknown(console, visit, text, &origin).await),
    }
}

/// Counts a link that nobody knows.
async fn unknown(console: &Console, visit: &Visit, text: &str, origin: &Origin) -> Problem {
    if !console.unknown_links.is_one_too_many(visit.facts.peer.ip(), Instant::now()) {
        return Problem::NotFound;
    }
    match console.judge.unknown_link(&Secret::new(text), origin).await {
        Ok(()) => Problem::NotFound,
        Err(error) => Problem::unavailable(&error),
    }
}

/// A frame around a page of a link, whose forms are tied to this browser, and the cookie that does it.
pub(crate) fn frame(console: &Console, visit: &Visit, headers: &HeaderMap) -> (Frame, NewCookie) {
    before::frame(Cookie::Enrol, console, visit, headers)
}

/// The browser that has sent the form of a link.
///
/// # Errors
/// [`Problem::Forbidden`] if it has not kept what ties it to that.
pub(crate) fn browser<'a>(headers: &'a HeaderMap, visit: &'a Visit) -> Result<LinkBrowser<'a>, Problem> {
    let cookie = before::value(Cookie::Enrol, headers, visit).ok_or(Problem::Forbidden)?;
    Ok(LinkBrowser { ip: visit.facts.peer.ip(), agent: &visit.agent, cookie })
}

/// Whether it was this browser that has used a link.
///
/// # Errors
/// When the store can't tell.
pub(crate) async fn was_used_here(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    link: &FoundLink,
) -> Result<bool, Problem> {
    match before::value(Cookie::Enrol, headers, visit) {
        Some(cookie) => Ok(console.desk().link_was_used_by(link, cookie).await?),
        None => Ok(false),
    }
}

/// What whoever has the link does: the owner of the account, who is not signed in.
pub(crate) fn act(link: &FoundLink, visit: &Visit) -> Act {
    Act::web(&link.account.address, visit.facts.peer.ip(), visit.id(), visit.now)
}
