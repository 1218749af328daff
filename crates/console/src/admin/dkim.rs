//! The keys that sign the mail of a domain: one is made, put to use, taken out of use. Each asks for a confirmation: who signs mail as a domain
//! is believed to be it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{Missing, Taken, Trouble};
use types::{DkimAlgorithm, DkimKeyName, DkimSelector};

use super::domains::{self, PATH};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::visit::Visit;

const ACTIVATE: &str = "/admin/domains/{domain}/keys/{selector}/activate";
const RETIRE: &str = "/admin/domains/{domain}/keys/{selector}/retire";

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/domains/{domain}/new-key", Right::Admin, |method| on(method, show_form)),
    Route::post("/admin/domains/{domain}/new-key", Right::Admin, |method| on(method, make)),
    Route::get(ACTIVATE, Right::Admin, |method| on(method, ask_to_activate)),
    Route::post(ACTIVATE, Right::Admin, |method| on(method, activate)),
    Route::get(RETIRE, Right::Admin, |method| on(method, ask_to_retire)),
    Route::post(RETIRE, Right::Admin, |method| on(method, retire)),
];

#[derive(Template)]
#[template(path = "admin/dkim_new.html")]
struct Form {
    frame: Frame,
    domain: String,
    selector: String,
    /// Each algorithm by its name, and whether it is chosen.
    algorithms: Vec<(&'static str, bool)>,
    wrong: Option<&'static str>,
    confirm: ConfirmForm,
}

#[derive(Template)]
#[template(path = "admin/dkim_question.html")]
struct Question {
    frame: Frame,
    domain: String,
    question: String,
    lead: &'static str,
    /// The words of the button, and of its colours.
    button: (String, &'static str),
    /// Where the form is sent to.
    path: String,
    confirm: ConfirmForm,
}

/// What is to be done with a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Activate,
    Retire,
}

/// A key of a path.
struct Key {
    domain: String,
    name: DkimKeyName,
}

impl Key {
    /// Of a domain that is known; whether there is such a key, the desk says.
    async fn of(console: &Console, domain: &str, selector: &str) -> Result<Self, Problem> {
        let (domain, found) = domains::of_path(console, domain).await?;
        let selector: DkimSelector = selector.parse().map_err(|_| Problem::NotFound)?;
        let name = DkimKeyName::new(&domain, selector).map_err(|_| Problem::NotFound)?;
        Ok(Self { domain: found.domain, name })
    }

    fn path(&self, step: Step) -> String {
        let step = if step == Step::Activate { "activate" } else { "retire" };
        format!("{PATH}/{}/keys/{}/{step}", self.domain, self.name.selector())
    }
}

async fn show_form(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(domain): Path<String>,
) -> Result<Response, Problem> {
    let (_, found) = domains::of_path(&console, &domain).await?;
    let (selector, confirm) = (visit.now.strftime("%Y%m").to_string(), ConfirmForm::of(&current, &visit));
    let typed = (selector, DkimAlgorithm::Rsa);
    form(&console, (&visit, &current), found.domain, typed, (None, confirm, StatusCode::OK))
}

fn form(
    console: &Console,
    (visit, current): (&Visit, &Current),
    domain: String,
    (selector, algorithm): (String, DkimAlgorithm),
    (wrong, confirm, status): (Option<&'static str>, ConfirmForm, StatusCode),
) -> Result<Response, Problem> {
    let frame = Frame::of_administration(console, visit, current, PATH);
    let algorithms =
        [DkimAlgorithm::Rsa, DkimAlgorithm::Ed25519].map(|one| (one.name(), one == algorithm)).into();
    Ok((status, page(&Form { frame, domain, selector, algorithms, wrong, confirm })?).into_response())
}

async fn make(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(domain): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let (domain, found) = domains::of_path(&console, &domain).await?;
    let (typed, t) = (fields.text("selector").to_owned(), visit.texts);
    let algorithm = DkimAlgorithm::from_name(fields.text("algorithm")).unwrap_or(DkimAlgorithm::Rsa);
    let refused = |wrong, confirm, status| {
        form(
            &console,
            (&visit, &current),
            found.domain.clone(),
            (typed.clone(), algorithm),
            (wrong, confirm, status),
        )
    };
    let name =
        typed.parse::<DkimSelector>().ok().and_then(|selector| DkimKeyName::new(&domain, selector).ok());
    let Some(name) = name else {
        let confirm = ConfirmForm::of(&current, &visit);
        return refused(Some(t.no_selector()), confirm, StatusCode::UNPROCESSABLE_ENTITY);
    };
    let (confirmed, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(confirmed, cookie) => (confirmed, cookie),
        Asked::No(confirm, status) => return refused(None, confirm, status),
    };
    match console.desk().generate_dkim_key(&confirmed.act(&visit), &name, algorithm).await {
        Ok(_) => {
            console.flashes.say(confirmed.signed_in.session.id, t.key_is_made(name.selector().as_str()));
            Ok((cookie, Redirect::to(&format!("{PATH}/{}", found.domain))).into_response())
        }
        Err(Trouble::Taken(Taken::DkimKey(_))) => {
            let answer = refused(Some(t.selector_is_taken()), ConfirmForm::default(), StatusCode::CONFLICT)?;
            Ok((cookie, answer).into_response())
        }
        Err(other) => Err(other.into()),
    }
}

async fn ask_to_activate(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path((domain, selector)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let key = Key::of(&console, &domain, &selector).await?;
    see_there(&console, &key).await?;
    question(
        &console,
        (&visit, &current),
        &key,
        Step::Activate,
        (ConfirmForm::of(&current, &visit), StatusCode::OK),
    )
}

async fn ask_to_retire(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path((domain, selector)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let key = Key::of(&console, &domain, &selector).await?;
    see_there(&console, &key).await?;
    question(
        &console,
        (&visit, &current),
        &key,
        Step::Retire,
        (ConfirmForm::of(&current, &visit), StatusCode::OK),
    )
}

async fn see_there(console: &Console, key: &Key) -> Result<(), Problem> {
    match console.desk().has_dkim_key(&key.name).await? {
        true => Ok(()),
        false => Err(Problem::NotFound),
    }
}

fn question(
    console: &Console,
    (visit, current): (&Visit, &Current),
    key: &Key,
    step: Step,
    (confirm, status): (ConfirmForm, StatusCode),
) -> Result<Response, Problem> {
    let (t, selector) = (visit.texts, key.name.selector().as_str());
    let (question, lead, button) = match step {
        Step::Activate => {
            (t.activate_question(selector), t.activate_lead(), (t.have_this_sign(selector), "first"))
        }
        Step::Retire => (t.retire_question(selector), t.retire_lead(), (t.retire_it(selector), "danger")),
    };
    let frame = Frame::of_administration(console, visit, current, PATH);
    let (domain, path) = (key.domain.clone(), key.path(step));
    Ok((status, page(&Question { frame, domain, question, lead, button, path, confirm })?).into_response())
}

async fn activate(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path((domain, selector)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Problem> {
    let key = Key::of(&console, &domain, &selector).await?;
    step(&console, &visit, current, &key, (Step::Activate, &fields)).await
}

async fn retire(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path((domain, selector)): Path<(String, String)>,
    fields: Fields,
) -> Result<Response, Problem> {
    let key = Key::of(&console, &domain, &selector).await?;
    step(&console, &visit, current, &key, (Step::Retire, &fields)).await
}

async fn step(
    console: &Console,
    visit: &Visit,
    current: Current,
    key: &Key,
    (step, fields): (Step, &Fields),
) -> Result<Response, Problem> {
    let (confirmed, cookie) = match confirm::ask(console, visit, current.clone(), fields).await? {
        Asked::Yes(confirmed, cookie) => (confirmed, cookie),
        Asked::No(confirm, status) => {
            return question(console, (visit, &current), key, step, (confirm, status));
        }
    };
    let (desk, act, t) = (console.desk(), confirmed.act(visit), visit.texts);
    let selector = key.name.selector().as_str();
    let done = match step {
        Step::Activate => desk.start_signing_with(&act, &key.name).await.map(|_| t.key_signs_now(selector)),
        Step::Retire => desk.stop_signing_with(&act, &key.name).await.map(|(_, is_signed)| match is_signed {
            true => t.key_signs_no_longer(selector),
            false => t.nothing_signs_now(selector),
        }),
    };
    let said = match done {
        Ok(said) => said,
        Err(Trouble::Missing(Missing::DkimKey(_))) => return Err(Problem::NotFound),
        // All mail of the domain would wait for it.
        Err(Trouble::DamagedDkimKey(_)) => t.key_is_damaged(selector),
        Err(other) => return Err(other.into()),
    };
    console.flashes.say(confirmed.signed_in.session.id, said);
    Ok((cookie, Redirect::to(&format!("{PATH}/{}", key.domain))).into_response())
}
