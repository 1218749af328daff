//! How a mail program is set up: the settings of the server for each program, the same for everybody.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use axum::routing::on;

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::shown::mail_settings::MailSettings;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[Route::get("/set-up", Right::Clients, |method| on(method, show))];

#[derive(Template)]
#[template(path = "set_up.html")]
struct Page {
    frame: Frame,
    settings: MailSettings,
}

async fn show(State(console): State<Arc<Console>>, visit: Visit) -> Result<Html<String>, Problem> {
    let desk = console.desk();
    let settings = desk.client_settings();
    page(&Page {
        frame: Frame::outside(&console, &visit),
        settings: MailSettings::of(settings, settings.discovery.as_ref(), None),
    })
}
