//! What is to be looked at: sign-ins that their accounts' owners say were somebody else's, and the messages that are held because of them.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::view;
use store::Operation;
use types::SignInId;

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::shown::place::credential;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

/// Where they are listed.
const PATH: &str = "/admin";

pub(crate) const ROUTES: &[Route] = &[
    Route::post("/admin/incidents/{id}/release", Right::Admin, |method| on(method, release)),
    Route::get("/admin/incidents/{id}/remove", Right::Admin, |method| on(method, ask)),
    Route::post("/admin/incidents/{id}/remove", Right::Admin, |method| on(method, remove)),
    Route::post("/admin/incidents/{id}/close", Right::Admin, |method| on(method, close)),
];

/// A sign-in that was not its account's owner's.
pub(crate) struct IncidentShown {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) by: String,
    pub(crate) from: String,
    pub(crate) first: Time,
    pub(crate) answered: Time,
    pub(crate) waiting: usize,
    /// Where the messages are that came with it.
    pub(crate) queue: String,
}

#[derive(Template)]
#[template(path = "admin/incident_remove.html")]
struct Question {
    frame: Frame,
    one: IncidentShown,
    action: String,
    confirm: ConfirmForm,
}

impl IncidentShown {
    fn of(incident: &view::Incident, visit: &Visit) -> Self {
        let time = |at| Time::of(at, visit.now, visit.texts);
        Self {
            id: incident.id.clone(),
            account: plain(&incident.account),
            by: credential(&incident.credential, incident.label.as_deref(), visit.texts),
            from: incident.network.addr().to_string(),
            first: time(incident.first_time),
            answered: time(incident.answered_at),
            waiting: incident.waiting,
            queue: format!("/admin/queue?account={}", incident.account),
        }
    }

    /// Those that are still to be looked at.
    pub(crate) async fn all(console: &Console, visit: &Visit) -> Result<Vec<Self>, Problem> {
        let all = console.desk().incidents().await?;
        Ok(all.iter().map(|incident| Self::of(incident, visit)).collect())
    }
}

fn read(id: &str) -> Result<SignInId, Problem> {
    id.parse().map_err(|_| Problem::NotFound)
}

async fn done(
    console: &Console,
    visit: &Visit,
    current: &Current,
    id: SignInId,
    operation: Option<Operation>,
) -> Result<Redirect, Problem> {
    let done = console.desk().close_incident(&current.act(visit), id, operation).await?;
    let t = visit.texts;
    let said = match operation {
        _ if done.is_none() => t.could_not_be_done().to_owned(),
        Some(Operation::Release) => t.messages_released(done.unwrap_or_default()),
        Some(_) => t.messages_removed(done.unwrap_or_default()),
        None => t.incident_is_closed().to_owned(),
    };
    console.flashes.say(current.signed_in.session.id, said);
    Ok(Redirect::to(PATH))
}

async fn release(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    done(&console, &visit, &current, read(&id)?, Some(Operation::Release)).await
}

async fn close(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    done(&console, &visit, &current, read(&id)?, None).await
}

async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let confirm = ConfirmForm::of(&current, &visit);
    question(&console, &visit, &current, read(&id)?, confirm, StatusCode::OK).await
}

async fn question(
    console: &Console,
    visit: &Visit,
    current: &Current,
    id: SignInId,
    confirm: ConfirmForm,
    status: StatusCode,
) -> Result<Response, Problem> {
    let incident = console.desk().show_incident(id).await?;
    let html = page(&Question {
        frame: Frame::of_administration(console, visit, current, PATH),
        one: IncidentShown::of(&incident, visit),
        action: format!("/admin/incidents/{id}/remove"),
        confirm,
    })?;
    Ok((status, html).into_response())
}

async fn remove(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let id = read(&id)?;
    match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => {
            let answer = done(&console, &visit, &current, id, Some(Operation::Remove)).await?;
            Ok((cookie, answer).into_response())
        }
        Asked::No(confirm, status) => question(&console, &visit, &current, id, confirm, status).await,
    }
}
