//! The keys that sign the mail of a domain: one is made, put to use, taken out of use. Each asks for a confirmation: who signs mail as a domain
//! is believed to be it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{Taken, Trouble};
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

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/domains/{domain}/new-key", Right::Admin, |method| on(method, show_form)),
    Route::post("/admin/domains/{domain}/new-key", Right::Admin, |method| on(method, make)),
    Route::get("/admin/domains/{domain}/keys/{selector}/{step}", Right::Admin, |method| on(method, ask)),
    Route::post("/admin/domains/{domain}/keys/{selector}/{step}", Right::Admin, |method| on(method, answer)),
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
#[derive(Clone, Copy)]
enum Step {
    Activate,
    Retire,
}

impl Step {
    const ALL: [Self; 2] = [Self::Activate, Self::Retire];

    /// Its name in a path.
    fn name(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Retire => "retire",
        }
    }
}

/// A key of a path, and what is to be done with it.
struct Wish {
    domain: String,
    key: DkimKeyName,
    step: Step,
}

impl Wish {
    /// Of a domain that is known; whether there is such a key, the desk says.
    async fn of(
        console: &Console,
        (domain, selector, step): &(String, String, String),
    ) -> Result<Self, Problem> {
        let step = Step::ALL.into_iter().find(|one| one.name() == step).ok_or(Problem::NotFound)?;
        let (domain, found) = domains::of_path(console, domain).await?;
        let selector: DkimSelector = selector.parse().map_err(|_| Problem::NotFound)?;
        let key = DkimKeyName::new(&domain, selector).map_err(|_| Problem::NotFound)?;
        Ok(Self { domain: found.domain, key, step })
    }

    fn path(&self) -> String {
        format!("{PATH}/{}/keys/{}/{}", self.domain, self.key.selector(), self.step.name())
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

async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(path): Path<(String, String, String)>,
) -> Result<Response, Problem> {
    let wish = Wish::of(&console, &path).await?;
    if !console.desk().has_dkim_key(&wish.key).await? {
        return Err(Problem::NotFound);
    }
    question(&console, &visit, &current, &wish, (ConfirmForm::of(&current, &visit), StatusCode::OK))
}

fn question(
    console: &Console,
    visit: &Visit,
    current: &Current,
    wish: &Wish,
    (confirm, status): (ConfirmForm, StatusCode),
) -> Result<Response, Problem> {
    let (t, selector) = (visit.texts, wish.key.selector().as_str());
    let (question, lead, button) = match wish.step {
        Step::Activate => {
            (t.activate_question(selector), t.activate_lead(), (t.have_this_sign(selector), "first"))
        }
        Step::Retire => (t.retire_question(selector), t.retire_lead(), (t.retire_it(selector), "danger")),
    };
    let frame = Frame::of_administration(console, visit, current, PATH);
    let (domain, path) = (wish.domain.clone(), wish.path());
    Ok((status, page(&Question { frame, domain, question, lead, button, path, confirm })?).into_response())
}

async fn answer(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(path): Path<(String, String, String)>,
    fields: Fields,
) -> Result<Response, Problem> {
    let wish = Wish::of(&console, &path).await?;
    let (confirmed, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(confirmed, cookie) => (confirmed, cookie),
        Asked::No(confirm, status) => {
            return question(&console, &visit, &current, &wish, (confirm, status));
        }
    };
    let said = done(&console, &visit, &confirmed, &wish).await?;
    console.flashes.say(confirmed.signed_in.session.id, said);
    Ok((cookie, Redirect::to(&format!("{PATH}/{}", wish.domain))).into_response())
}

/// Does it; what is to be said of it.
async fn done(console: &Console, visit: &Visit, current: &Current, wish: &Wish) -> Result<String, Problem> {
    let (desk, act, t) = (console.desk(), current.act(visit), visit.texts);
    let (key, selector) = (&wish.key, wish.key.selector().as_str());
    let done = match wish.step {
        Step::Activate => desk.start_signing_with(&act, key).await.map(|_| t.key_signs_now(selector)),
        Step::Retire => desk.stop_signing_with(&act, key).await.map(|(_, is_signed)| match is_signed {
            true => t.key_signs_no_longer(selector),
            false => t.nothing_signs_now(selector),
        }),
    };
    match done {
        // All mail of the domain would wait for it.
        Err(Trouble::DamagedDkimKey(_)) => Ok(t.key_is_damaged(selector)),
        done => Ok(done?),
    }
}
