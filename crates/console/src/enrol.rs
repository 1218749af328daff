//! The page of a link that gives a device an app password: it says for whom and for what, and makes the password when its button is pressed.
//!
//! What scans or previews links asks for the page and presses no button, so that it uses up nothing.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;
use desk::{FoundLink, Trouble};
use store::EnrolmentState;
use types::Mailbox;

use crate::clients::apple;
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::links::find::{act, browser, find, frame, was_used_here};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::shown::password_once::PasswordOnce;
use crate::shown::strangers::plain;
use crate::shown::time::{Time, end_of_wait};
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/enrol/{link}", Right::Link, |method| on(method, show)),
    Route::post("/enrol/{link}", Right::Link, |method| on(method, take)),
    Route::post("/enrol/{link}/profile", Right::Link, |method| on(method, profile)),
];

#[derive(Template)]
#[template(path = "enrol.html")]
struct Question {
    frame: Frame,
    /// Where the form is sent to: the link itself.
    path: String,
    label: String,
    /// For whom, as far as whoever has only seen the link may know.
    address: String,
    until: String,
    refused: Option<String>,
}

#[derive(Template)]
#[template(path = "enrolled.html")]
struct Made {
    frame: Frame,
    once: PasswordOnce,
}

#[derive(Template)]
#[template(path = "enrol_used.html")]
struct Used {
    frame: Frame,
    label: String,
    at: Time,
    from: String,
}

/// The link of a device whose end this is.
async fn device(console: &Console, visit: &Visit, text: &str) -> Result<FoundLink, Problem> {
    let link = find(console, visit, text).await?;
    link.device().is_some().then_some(link).ok_or(Problem::NotFound)
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    method: Method,
    headers: HeaderMap,
    Path(text): Path<String>,
) -> Result<Response, Problem> {
    let link = device(&console, &visit, &text).await?;
    match link.state(visit.now) {
        EnrolmentState::Waiting => {
            if method == Method::GET {
                console.desk().link_opened(&link).await?;
            }
            question(&console, &visit, &headers, (&link, &text), (StatusCode::OK, None))
        }
        EnrolmentState::Used => used(&console, &visit, &headers, &link, StatusCode::OK).await,
        EnrolmentState::Withdrawn | EnrolmentState::Over => Err(Problem::NotFound),
    }
}

fn question(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    (link, text): (&FoundLink, &str),
    (status, refused): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let (frame, cookie) = frame(console, visit, headers);
    let html = page(&Question {
        frame,
        path: format!("/enrol/{text}"),
        label: label(link),
        address: veiled(&link.account.address),
        until: end_of_wait(link.ends_at(), visit.now, visit.texts),
        refused,
    })?;
    Ok((status, cookie, html).into_response())
}

fn label(link: &FoundLink) -> String {
    link.device().map(|planned| plain(&planned.label)).unwrap_or_default()
}

/// `a…@example.org`: enough for who knows the address.
fn veiled(address: &Mailbox) -> String {
    let text = address.to_string();
    let (local, domain) = text.rsplit_once('@').unwrap_or((&text, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}…@{domain}")
}

/// Uses the link up and makes the app password, which is shown this once.
async fn take(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
    Path(text): Path<String>,
) -> Result<Response, Problem> {
    let link = device(&console, &visit, &text).await?;
    match link.state(visit.now) {
        EnrolmentState::Waiting => {}
        EnrolmentState::Used => return used(&console, &visit, &headers, &link, StatusCode::CONFLICT).await,
        EnrolmentState::Withdrawn | EnrolmentState::Over => return Err(Problem::NotFound),
    }
    let browser = browser(&headers, &visit)?;
    match console.desk().use_device_link(&act(&link, &visit), &link, browser).await {
        Ok((view, _)) => {
            let profile = Some(format!("/enrol/{text}/profile"));
            let once = PasswordOnce::of(&console, &view, &link.account, profile, None);
            let (frame, cookie) = frame(&console, &visit, &headers);
            Ok((cookie, page(&Made { frame, once })?).into_response())
        }
        Err(Trouble::Missing(_)) => {
            // Another request was faster, of this browser perhaps.
            let now = device(&console, &visit, &text).await?;
            used(&console, &visit, &headers, &now, StatusCode::CONFLICT).await
        }
        Err(Trouble::TooMany { limit, .. }) => {
            let refused = Some(visit.texts.too_many_for_device(limit));
            question(&console, &visit, &headers, (&link, &text), (StatusCode::CONFLICT, refused))
        }
        Err(Trouble::Changed(_) | Trouble::NotCovered { .. }) => Err(Problem::NotFound),
        Err(other) => Err(other.into()),
    }
}

/// The profile for Apple's devices with the app password that the link has made, for the browser that has used it.
async fn profile(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
    Path(text): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let link = device(&console, &visit, &text).await?;
    match was_used_here(&console, &visit, &headers, &link).await? {
        true => apple::download(&console, &visit, &link.account, &fields).await,
        false => Err(Problem::NotFound),
    }
}

/// Tells the browser that has used a link when and where from. To any other there is no such page.
async fn used(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    link: &FoundLink,
    status: StatusCode,
) -> Result<Response, Problem> {
    let here = was_used_here(console, visit, headers, link).await?;
    let used = link.used().filter(|_| here).ok_or(Problem::NotFound)?;
    let html = page(&Used {
        frame: Frame::outside(console, visit),
        label: label(link),
        at: Time::of(used.at, visit.now, visit.texts),
        from: used.ip.to_string(),
    })?;
    Ok((status, html).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_shows_its_first_character_and_its_domain() {
        for (address, shown) in [
            ("alice@example.org", "a…@example.org"),
            ("\"a@b\"@example.org", "\"…@example.org"),
            ("älice@example.org", "ä…@example.org"),
        ] {
            assert_eq!(veiled(&Mailbox::parse(address).unwrap()), shown);
        }
    }
}
