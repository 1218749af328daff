//! "Was that you?": the owner of the account says so, or what is to be done if it was not.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{Answer, Answered, NotMe, OWN_PASSWORD_CHARACTERS, Trouble, view};
use types::{Secret, SignInId};

use super::sign_ins::PATH;
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::messages::Row;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::shown::action;
use crate::shown::place::{PlaceShown, credential};
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::post("/account/sign-ins/{id}/me", Right::SignedIn, |method| on(method, me)),
    Route::get("/account/sign-ins/{id}/not-me", Right::SignedIn, |method| on(method, show)),
    Route::post("/account/sign-ins/{id}/not-me", Right::SignedIn, |method| on(method, not_me)),
];

#[derive(Template)]
#[template(path = "account/not_me.html")]
struct NotMePage {
    frame: Frame,
    /// Where the form is sent to.
    action: String,
    place: PlaceShown,
    messages: Vec<Row>,
    /// Where there are all of them.
    all_messages: String,
    waiting: usize,
    /// What was changed, and about what.
    changes: Vec<(String, Time)>,
    can_revoke: bool,
    needs_new_password: bool,
    /// What was done, if it was said before.
    answered: Option<Time>,
    /// Whether there are messages still to be held.
    is_unfinished: bool,
    boxes: Boxes,
    confirm: ConfirmForm,
    /// What is wrong with the new password.
    wrong: Option<String>,
    least: usize,
}

/// What is ticked.
struct Boxes {
    revoke: bool,
    end_sessions: bool,
    hold: bool,
    list: bool,
}

async fn me(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let (id, who) = (read(&id)?, (&current.token, &current.signed_in));
    let answered = console.desk().answer_sign_in(&current.act(&visit), who, id, &Answer::Me).await?;
    if answered.is_new {
        console.flashes.say(current.signed_in.session.id, visit.texts.it_was_you().to_owned());
    }
    Ok(Redirect::to(PATH))
}

fn read(id: &str) -> Result<SignInId, Problem> {
    id.parse().map_err(|_| Problem::NotFound)
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let boxes = Boxes { revoke: true, end_sessions: true, hold: true, list: true };
    form(&console, &visit, &current, read(&id)?, boxes, (ConfirmForm::always(&current), None), StatusCode::OK)
        .await
}

async fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    id: SignInId,
    boxes: Boxes,
    (confirm, wrong): (ConfirmForm, Option<String>),
    status: StatusCode,
) -> Result<Response, Problem> {
    let shown = console.desk().show_sign_in(&current.signed_in, id).await?;
    let time = |at| Time::of(at, visit.now, visit.texts);
    let html = page(&NotMePage {
        frame: Frame::inside(console, visit, current, PATH),
        action: format!("{PATH}/{id}/not-me"),
        place: PlaceShown::of(&shown.place, visit),
        messages: shown.messages.iter().map(|message| Row::of(message, visit)).collect(),
        all_messages: format!("{}?credential={}", super::messages::PATH, shown.place.credential),
        waiting: shown.waiting,
        changes: shown.changes.iter().map(|entry| change(entry, &shown.place, visit)).collect(),
        can_revoke: shown.can_revoke,
        needs_new_password: shown.needs_new_password,
        answered: shown.answer.map(|answer| time(answer.at)),
        is_unfinished: shown.answer.is_some_and(|answer| answer.is_unfinished),
        boxes,
        confirm,
        wrong,
        least: OWN_PASSWORD_CHARACTERS,
    })?;
    Ok((status, html).into_response())
}

fn change(entry: &view::AuditEntry, place: &view::Place, visit: &Visit) -> (String, Time) {
    let t = visit.texts;
    let label = place.label.as_deref().filter(|_| entry.credential.as_deref() == Some(&place.credential));
    let about = entry.credential.as_deref().map(|name| credential(name, label, t));
    let words = action::words(entry.action, t);
    let words = about.map_or_else(|| words.to_owned(), |about| format!("{words}: {about}"));
    (words, Time::of(entry.time, visit.now, t))
}

async fn not_me(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let id = read(&id)?;
    let shown = console.desk().show_sign_in(&current.signed_in, id).await?;
    let boxes = Boxes::of(&fields);
    let with_password = boxes.revoke && shown.needs_new_password && shown.answer.is_none();
    if !with_password {
        let done = answer(&console, &visit, &current, id, boxes.wish(None)).await;
        return done.map_err(Problem::from);
    }
    // Before a code is used up for it.
    let new = fields.secret("new");
    if let Some(wrong) = wrong_with(&console, &visit, &current, &new, &fields.secret("confirm")) {
        let asks = (ConfirmForm::always(&current), Some(wrong));
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return form(&console, &visit, &current, id, boxes, asks, status).await;
    }
    match confirm::ask_anew(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, _) => Ok(answer(&console, &visit, &current, id, boxes.wish(Some(new))).await?),
        Asked::No(confirm, status) => {
            form(&console, &visit, &current, id, boxes, (confirm, None), status).await
        }
    }
}

/// What is wrong with a new password. The one of now would stop nobody.
fn wrong_with(
    console: &Console,
    visit: &Visit,
    current: &Current,
    new: &Secret,
    now: &Secret,
) -> Option<String> {
    if !new.declassify().is_empty() && new == now {
        return Some(visit.texts.same_password().to_owned());
    }
    let judged = super::password::judge(console, &current.signed_in.account, new.clone());
    judged.err().map(|trouble| trouble.to_string())
}

impl Boxes {
    fn of(fields: &Fields) -> Self {
        let ticked = |name| fields.text(name) == "yes";
        Self {
            revoke: ticked("revoke"),
            end_sessions: ticked("end_sessions"),
            hold: ticked("hold"),
            list: ticked("list"),
        }
    }

    fn wish(&self, new_password: Option<Secret>) -> NotMe {
        let Self { revoke, end_sessions, hold, list } = *self;
        NotMe { revoke, new_password, end_sessions, hold, list }
    }
}

/// Does what is to be done, and leads to where it is told. What could not be done is said with it: sent again, the form does it.
async fn answer(
    console: &Console,
    visit: &Visit,
    current: &Current,
    id: SignInId,
    wish: NotMe,
) -> Result<Response, Trouble> {
    let (who, session) = ((&current.token, &current.signed_in), current.signed_in.session.id);
    let wish = Answer::NotMe(wish);
    let answered = console.desk().answer_sign_in(&current.act(visit), who, id, &wish).await?;
    report(current, id, &answered);
    console.flashes.say(session, said(&answered, visit));
    let to = match answered.not_held {
        Some(_) => format!("{PATH}/{id}/not-me"),
        None => PATH.to_owned(),
    };
    match (answered.has_new_password, answered.token) {
        (true, Some(token)) => {
            let cookie = confirm::keep(&token.declassify(), visit);
            Ok((cookie, Redirect::to(&to)).into_response())
        }
        (true, None) => Ok(Redirect::to("/sign-in").into_response()),
        (false, _) => Ok(Redirect::to(&to).into_response()),
    }
}

fn said(answered: &Answered, visit: &Visit) -> String {
    let t = visit.texts;
    let held = match (answered.held, &answered.not_held) {
        (_, Some(_)) => Some(t.not_held_yet().to_owned()),
        (Some(held), None) if held > 0 => Some(t.messages_held(held)),
        _ => None,
    };
    let done = t.it_was_not_you().to_owned();
    held.map_or_else(|| done.clone(), |held| format!("{done} {held}"))
}

/// Tells operators: somebody may have to be looked for.
fn report(current: &Current, id: SignInId, answered: &Answered) {
    let account = &current.signed_in.account.address;
    let session = current.signed_in.session.id;
    if answered.is_new {
        let (held, new_password) = (answered.held, answered.has_new_password);
        tracing::warn!(
            event = "incident",
            account.address = %account,
            sign_in = %id,
            %session,
            held,
            new_password,
            "the owner of an account says that a sign-in to it was somebody else's"
        );
    }
    if let Some(trouble) = &answered.not_held {
        let error: &dyn std::error::Error = trouble;
        tracing::error!(event = "incident.not-held", account.address = %account, sign_in = %id, error, "messages of an incident could not be held");
    }
}
