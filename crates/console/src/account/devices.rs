//! A link for a device: its code to scan as long as it waits, who has used it, and withdrawing it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{Trouble, view};
use types::{CredentialId, EnrolmentId};
use zeroize::Zeroizing;

use super::app_passwords::PATH;
use crate::console::Console;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::device_link::DeviceShown;
use crate::shown::qr::Qr;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/account/devices/{id}", Right::SignedIn, |method| on(method, show)),
    Route::post("/account/devices/{id}/withdraw", Right::SignedIn, |method| on(method, withdraw)),
];

/// Who has used a link.
struct UseShown {
    at: Time,
    from: String,
    agent: String,
    /// The app password, if it is still there.
    app_password: Option<String>,
}

#[derive(Template)]
#[template(path = "account/device.html")]
struct Page {
    frame: Frame,
    one: DeviceShown,
    /// The link and its code, where they may be shown.
    link: Option<(Zeroizing<String>, Option<Qr>)>,
    used: Option<UseShown>,
    /// Where it is withdrawn.
    withdraw: String,
}

/// The link that a path names, if it is one of whoever is signed in.
async fn named(
    console: &Console,
    current: &Current,
    id: &str,
) -> Result<(EnrolmentId, view::DeviceLink), Problem> {
    let id: EnrolmentId = id.parse().map_err(|_| Problem::NotFound)?;
    Ok((id, console.desk().device_link(&current.signed_in.account, id).await?))
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (_, view) = named(&console, &current, &id).await?;
    let one = DeviceShown::of(&view, &visit);
    let link = match one.waits {
        true => console.shown_links.of(current.signed_in.session.id, &view.id, visit.now),
        false => None,
    };
    let html = page(&Page {
        frame: Frame::inside(&console, &visit, &current, PATH),
        link: link.map(|link| (link.clone(), Qr::of(&link))),
        used: use_shown(&console, &visit, &current, &view).await?,
        withdraw: format!("/account/devices/{}/withdraw", view.id),
        one,
    })?;
    Ok(html.into_response())
}

async fn use_shown(
    console: &Console,
    visit: &Visit,
    current: &Current,
    view: &view::DeviceLink,
) -> Result<Option<UseShown>, Problem> {
    let Some(at) = view.used_at else { return Ok(None) };
    let id: Option<CredentialId> = view.app_password.as_deref().and_then(|id| id.parse().ok());
    let app_password = match id {
        Some(id) => match console.desk().show_app_password(&current.signed_in.account, id).await {
            Ok(found) => Some(found.id),
            Err(Trouble::Missing(_)) => None,
            Err(other) => return Err(other.into()),
        },
        None => None,
    };
    Ok(Some(UseShown {
        at: Time::of(at, visit.now, visit.texts),
        from: view.used_ip.map(|ip| ip.to_string()).unwrap_or_default(),
        agent: view.used_agent.as_deref().map(plain).unwrap_or_default(),
        app_password,
    }))
}

async fn withdraw(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (id, view) = named(&console, &current, &id).await?;
    let (who, t) = (&current.signed_in, visit.texts);
    let line = match console.desk().withdraw_link(&current.act(&visit), &who.account, id).await {
        Ok(()) => t.link_withdrawn(plain(&view.label)),
        // It was used, or withdrawn, a moment ago: the page says which.
        Err(Trouble::Missing(_)) => {
            return Ok(Redirect::to(&format!("/account/devices/{}", view.id)).into_response());
        }
        Err(other) => return Err(other.into()),
    };
    console.flashes.say(who.session.id, line);
    Ok(Redirect::to(PATH).into_response())
}
