//! A new API token: what it is to be, confirmed by its owner; then the token, once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;
use desk::{Desk, TokenWish, Trouble, view};
use jiff::Timestamp;
use store::Account;
use types::{Scope, WebPart};
use zeroize::Zeroizing;

use super::tokens::PATH;
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::label::{self, LABEL};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::session::once::Once;
use crate::shown::scope;
use crate::shown::strangers::plain;
use crate::texts::Texts;
use crate::visit::Visit;
use crate::{ends, networks};

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/account/tokens/new", Right::SignedIn, |method| on(method, show)),
    Route::post(PATH, Right::SignedIn, |method| on(method, make)),
];

/// The form, as it was typed.
#[derive(Debug, Default)]
struct Typed {
    label: String,
    scopes: Vec<String>,
    networks: String,
    /// `usual`, `30`, `365` or `day`.
    ends: String,
    day: String,
}

/// What is wrong with what was typed, by the field.
#[derive(Debug, Default)]
struct Wrong {
    label: Option<&'static str>,
    scopes: Option<&'static str>,
    networks: Option<String>,
    ends: Option<String>,
}

/// A scope that there is a box for.
struct Choice {
    name: &'static str,
    words: &'static str,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "account/token_new.html")]
struct Form {
    frame: Frame,
    typed: Typed,
    wrong: Wrong,
    /// What the form as a whole is not taken for.
    refused: Option<String>,
    choices: Vec<Choice>,
    /// Days that a token lasts at most; nothing if that is less than one.
    at_most: Option<i64>,
    confirm: ConfirmForm,
    number: u64,
}

#[derive(Template)]
#[template(path = "account/token_made.html")]
struct Made {
    frame: Frame,
    label: String,
    token: Zeroizing<String>,
    /// What can be asked with it, to try it, if that is served here.
    url: Option<String>,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let confirm = ConfirmForm::of(&current, &visit);
    form(&console, &visit, &current, (Typed::default(), Wrong::default()), confirm, (StatusCode::OK, None))
}

fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (typed, wrong): (Typed, Wrong),
    confirm: ConfirmForm,
    (status, refused): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let desk = console.desk();
    let choices = choices(&desk, &current.signed_in.account, &typed, visit);
    let at_most = Some(desk.token_days()).filter(|days| *days > 0);
    let frame = Frame::inside(console, visit, current, PATH);
    let number = Once::number();
    let html = page(&Form { frame, typed, wrong, refused, choices, at_most, confirm, number })?;
    Ok((status, html).into_response())
}

/// The scopes that a token of this account may have.
fn choices(desk: &Desk, account: &Account, typed: &Typed, visit: &Visit) -> Vec<Choice> {
    let all = Scope::ALL.into_iter().filter(|scope| desk.may_have(account, *scope));
    let choice = |scope: Scope| Choice {
        name: scope.name(),
        words: scope::words(scope, visit.texts),
        is_chosen: typed.scopes.iter().any(|chosen| chosen == scope.name()),
    };
    all.map(choice).collect()
}

async fn make(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let typed = Typed::of(&fields);
    let wish = match typed.wish(&visit) {
        Ok(wish) => wish,
        Err(wrong) => {
            let confirm = ConfirmForm::of(&current, &visit);
            let refused = (StatusCode::UNPROCESSABLE_ENTITY, None);
            return form(&console, &visit, &current, (typed, wrong), confirm, refused);
        }
    };
    match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => {
            let number = fields.text("number").parse().unwrap_or_default();
            let made = once(&console, &visit, &current, (typed, wish), number).await?;
            Ok((cookie, made).into_response())
        }
        Asked::No(confirm, status) => {
            form(&console, &visit, &current, (typed, Wrong::default()), confirm, (status, None))
        }
    }
}

/// Makes it, unless the form was sent before.
async fn once(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (typed, wish): (Typed, TokenWish),
    number: u64,
) -> Result<Response, Problem> {
    let (session, confirm) = (current.signed_in.session.id, ConfirmForm::default());
    if !console.once.is_first(session, number) {
        let refused = (StatusCode::CONFLICT, Some(visit.texts.made_already().to_owned()));
        return form(console, visit, current, (typed, Wrong::default()), confirm, refused);
    }
    let account = &current.signed_in.account;
    match console.desk().create_token(&current.act(visit), account, &wish).await {
        Ok(view) => made(console, visit, current, &wish, view),
        Err(trouble) => {
            console.once.forget(session, number);
            let (wrong, status, refused) = explained(trouble, visit)?;
            form(console, visit, current, (typed, wrong), confirm, (status, refused))
        }
    }
}

/// What the form says of this trouble.
fn explained(trouble: Trouble, visit: &Visit) -> Result<(Wrong, StatusCode, Option<String>), Problem> {
    let t = visit.texts;
    match trouble {
        Trouble::TooManyTokens { limit, .. } => {
            Ok((Wrong::default(), StatusCode::CONFLICT, Some(t.too_many_tokens(limit))))
        }
        Trouble::NotTheirScope { .. } => {
            let wrong = Wrong { scopes: Some(t.not_your_scope()), ..Wrong::default() };
            Ok((wrong, StatusCode::UNPROCESSABLE_ENTITY, None))
        }
        Trouble::TokenTooLong { most } => {
            let ends = match most.as_hours() {
                hours if hours < 24 => t.token_too_long_in_hours(hours),
                hours => t.token_too_long(hours / 24),
            };
            let wrong = Wrong { ends: Some(ends), ..Wrong::default() };
            Ok((wrong, StatusCode::UNPROCESSABLE_ENTITY, None))
        }
        other => Err(other.into()),
    }
}

fn made(
    console: &Console,
    visit: &Visit,
    current: &Current,
    wish: &TokenWish,
    view: view::NewApiToken,
) -> Result<Response, Problem> {
    let (path, part) = match wish.scopes.contains(&Scope::MetricsRead) {
        true => ("/metrics", WebPart::Metrics),
        false => ("/api/v1/openapi.json", WebPart::Api),
    };
    let url = format!("{}{path}", console.settings.base_url.to_string().trim_end_matches('/'));
    let html = page(&Made {
        frame: Frame::inside(console, visit, current, PATH),
        label: plain(&view.api_token.label),
        token: view.token,
        url: visit.is_served(part).then_some(url),
    })?;
    Ok((StatusCode::OK, html).into_response())
}

impl Typed {
    fn of(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            label: text(LABEL),
            scopes: fields.all("scope").map(str::to_owned).collect(),
            networks: text("networks"),
            ends: text("ends"),
            day: text("day"),
        }
    }

    /// What is wished for; or what is wrong with it.
    fn wish(&self, visit: &Visit) -> Result<TokenWish, Wrong> {
        let t = visit.texts;
        let (label, end) = (label::read(&self.label, t), self.end(visit.now, t));
        match (label, self.scopes(), networks::read(&self.networks), end) {
            (Ok(label), Some(scopes), Ok(networks), Some(expires_at)) => {
                Ok(TokenWish { label, scopes, networks, expires_at })
            }
            (label, scopes, networks, end) => Err(Wrong {
                label: label.err(),
                scopes: scopes.is_none().then(|| t.scope_is_missing()),
                networks: networks.err().map(|line| t.no_network(plain(line))),
                ends: end.is_none().then(|| t.end_is_no_day().to_owned()),
            }),
        }
    }

    /// The scopes that were chosen; `None` if none was.
    fn scopes(&self) -> Option<Vec<Scope>> {
        let scopes: Option<Vec<Scope>> = self.scopes.iter().map(|scope| scope.parse().ok()).collect();
        scopes.filter(|scopes| !scopes.is_empty())
    }

    /// When it ends, or nothing for the usual time; `None` if that is not understood, or has passed.
    fn end(&self, now: Timestamp, t: Texts) -> Option<Option<Timestamp>> {
        match self.ends.as_str() {
            "usual" | "" => Some(None),
            "day" => ends::after_day(&self.day, now, t).map(Some),
            days => ends::after_days(days, now).map(Some),
        }
    }
}
