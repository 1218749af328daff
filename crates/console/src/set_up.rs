//! How a mail program is set up: the settings of the server for each program, the same for everybody.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::shown::mail_settings::MailSettings;
use crate::visit::Visit;

/// The path, below the address of the pages.
pub(crate) const PATH: &str = "/set-up";

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::Clients, |method| on(method, show))];

#[derive(Template)]
#[template(path = "set_up.html")]
struct Page {
    frame: Frame,
    settings: MailSettings,
}

/// Names that only programs ask by have no style sheet, and nobody signs in there: people are led to the name of the pages.
async fn show(State(console): State<Arc<Console>>, visit: Visit) -> Result<Response, Problem> {
    if visit.discovery.is_some() {
        let pages = console.settings.base_url.with_path(|_| PATH.to_owned());
        return Ok(Redirect::to(&pages.to_string()).into_response());
    }
    let desk = console.desk();
    let settings = desk.client_settings();
    let page = page(&Page {
        frame: Frame::outside(&console, &visit),
        settings: MailSettings::of(settings, settings.discovery.as_ref(), None),
    })?;
    Ok(page.into_response())
}
