//! A new app password: what it is to be, confirmed by its owner; then the password, once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;
use desk::{AppPasswordWish, Trouble, view};
use jiff::Timestamp;
use store::{Account, Page as ListPage, Scope};
use types::SenderPattern;

use super::app_passwords::PATH;
use super::label::{self, LABEL};
use super::{ends, networks};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::session::once::Once;
use crate::shown::password_once::PasswordOnce;
use crate::shown::strangers::plain;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/account/app-passwords/new", Right::SignedIn, |method| on(method, show)),
    Route::post(PATH, Right::SignedIn, |method| on(method, make)),
];

/// Senders of an account that there are boxes for.
const SENDERS: u32 = 100;

/// The form, as it was typed.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub(super) label: String,
    /// `never`, `30`, `90`, `365` or `day`.
    pub(super) ends: String,
    pub(super) day: String,
    pub(super) networks: String,
    pub(super) senders: Vec<String>,
}

/// What is wrong with what was typed, by the field.
#[derive(Debug, Default)]
pub(super) struct Wrong {
    pub(super) label: Option<&'static str>,
    pub(super) ends: Option<&'static str>,
    pub(super) networks: Option<String>,
    pub(super) senders: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "account/app_password_new.html")]
struct Form {
    frame: Frame,
    typed: Typed,
    wrong: Wrong,
    /// What the form as a whole is not taken for.
    refused: Option<String>,
    /// The senders of the account.
    senders: Vec<String>,
    confirm: ConfirmForm,
    number: u64,
}

#[derive(Template)]
#[template(path = "account/app_password_made.html")]
struct Made {
    frame: Frame,
    once: PasswordOnce,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let typed = Typed { ends: "never".to_owned(), ..Typed::default() };
    let confirm = ConfirmForm::of(&current, &visit);
    form(&console, &visit, &current, (typed, Wrong::default()), confirm, (StatusCode::OK, None)).await
}

async fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (typed, wrong): (Typed, Wrong),
    confirm: ConfirmForm,
    (status, refused): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let senders = senders_of(console, &current.signed_in.account).await?;
    let frame = Frame::inside(console, visit, current, PATH);
    let html = page(&Form { frame, typed, wrong, refused, senders, confirm, number: Once::number() })?;
    Ok((status, html).into_response())
}

/// Whom the account may send as.
pub(super) async fn senders_of(console: &Console, account: &Account) -> Result<Vec<String>, Problem> {
    let identities = console.desk().senders(account, ListPage::first(SENDERS)).await?.items;
    let own = std::iter::once(account.address.to_string());
    Ok(own.chain(identities.into_iter().map(|identity| identity.sender)).collect())
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
            return form(&console, &visit, &current, (typed, wrong), confirm, refused).await;
        }
    };
    match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => {
            let number = fields.text("number").parse().unwrap_or_default();
            let made = once(&console, &visit, &current, (typed, wish), number).await?;
            Ok((cookie, made).into_response())
        }
        Asked::No(confirm, status) => {
            form(&console, &visit, &current, (typed, Wrong::default()), confirm, (status, None)).await
        }
    }
}

/// Makes it, unless the form was sent before.
async fn once(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (typed, wish): (Typed, AppPasswordWish),
    number: u64,
) -> Result<Response, Problem> {
    let (session, t) = (current.signed_in.session.id, visit.texts);
    let confirm = ConfirmForm::default();
    if !console.once.is_first(session, number) {
        let refused = (StatusCode::CONFLICT, Some(t.made_already().to_owned()));
        return form(console, visit, current, (typed, Wrong::default()), confirm, refused).await;
    }
    let account = &current.signed_in.account;
    match console.desk().create_app_password(&current.act(visit), account, &wish).await {
        Ok((view, _)) => made(console, visit, current, &view),
        Err(trouble) => {
            console.once.forget(session, number);
            let (wrong, status, refused) = match trouble {
                Trouble::TooMany { limit, .. } => {
                    (Wrong::default(), StatusCode::CONFLICT, Some(t.too_many_app_passwords(limit)))
                }
                Trouble::NotCovered { .. } => {
                    let wrong = Wrong { senders: Some(t.not_your_sender()), ..Wrong::default() };
                    (wrong, StatusCode::UNPROCESSABLE_ENTITY, None)
                }
                other => return Err(other.into()),
            };
            form(console, visit, current, (typed, wrong), confirm, (status, refused)).await
        }
    }
}

fn made(
    console: &Console,
    visit: &Visit,
    current: &Current,
    view: &view::NewAppPassword,
) -> Result<Response, Problem> {
    let html = page(&Made {
        frame: Frame::inside(console, visit, current, PATH),
        once: PasswordOnce::of(console, view, &current.signed_in.account, Some(PATH)),
    })?;
    Ok((StatusCode::OK, html).into_response())
}

impl Typed {
    pub(super) fn of(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            label: text(LABEL),
            ends: text("ends"),
            day: text("day"),
            networks: text("networks"),
            senders: fields.all("sender").map(str::to_owned).collect(),
        }
    }

    /// What is wished for; or what is wrong with it.
    pub(super) fn wish(&self, visit: &Visit) -> Result<AppPasswordWish, Wrong> {
        let t = visit.texts;
        let (label, end) = (label::read(&self.label, t), self.end(visit.now));
        let (networks, senders) = (networks::read(&self.networks), self.senders());
        match (label, end, networks, senders) {
            (Ok(label), Some(expires_at), Ok(networks), Some(senders)) => {
                let scopes = vec![Scope::Smtp];
                Ok(AppPasswordWish { label, scopes, networks, senders, expires_at, cram_md5: false })
            }
            (label, end, networks, senders) => Err(Wrong {
                label: label.err(),
                ends: end.is_none().then(|| t.end_is_no_day()),
                networks: networks.err().map(|line| t.no_network(plain(line))),
                senders: senders.is_none().then(|| t.not_your_sender()),
            }),
        }
    }

    /// When it ends, if ever; `None` if that is not understood, or has passed.
    fn end(&self, now: Timestamp) -> Option<Option<Timestamp>> {
        match self.ends.as_str() {
            "never" | "" => Some(None),
            "day" => ends::after_day(&self.day, now).map(Some),
            days => ends::after_days(days, now).map(Some),
        }
    }

    fn senders(&self) -> Option<Vec<SenderPattern>> {
        self.senders.iter().map(|sender| sender.parse().ok()).collect()
    }
}
