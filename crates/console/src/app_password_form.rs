//! A new app password: what it is to be, confirmed by whoever makes it; then the password, once. Its owner makes it for a program, an administrator
//! for a device that nobody can sign in on.

use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use desk::{AppPasswordWish, Trouble, view};
use jiff::Timestamp;
use store::{Account, Page as ListPage, Scope};
use types::SenderPattern;

use crate::account::apple_profile;
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::label::{self, LABEL};
use crate::problem::Problem;
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::session::once::Once;
use crate::shown::app_password::{AppPasswordShown, SentLately};
use crate::shown::password_once::PasswordOnce;
use crate::shown::strangers::plain;
use crate::texts::Texts;
use crate::visit::Visit;
use crate::{ends, networks};

/// Whose app password it is to be, and where the form stands.
#[derive(Debug, Clone)]
pub(crate) struct Whose {
    pub(crate) account: Account,
    /// Where the form is sent to.
    pub(crate) path: String,
    /// Where the app passwords are listed.
    pub(crate) list: String,
    /// The frame of the page.
    pub(crate) frame: fn(&Console, &Visit, &Current) -> Frame,
    /// Whether the owner of the account makes it.
    pub(crate) is_own: bool,
}

/// Senders of an account that there are boxes for.
const SENDERS: u32 = 100;

/// App passwords that are read of an account, and how many are shown to be revoked.
const ALL: u32 = 1_000;
const UNUSED: usize = 10;

/// The form, as it was typed.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    pub(crate) label: String,
    /// `never`, `30`, `90`, `365` or `day`.
    pub(crate) ends: String,
    pub(crate) day: String,
    pub(crate) networks: String,
    pub(crate) senders: Vec<String>,
    pub(crate) cram_md5: bool,
}

/// What is wrong with what was typed, by the field.
#[derive(Debug, Default)]
pub(crate) struct Wrong {
    pub(crate) label: Option<&'static str>,
    pub(crate) ends: Option<&'static str>,
    pub(crate) networks: Option<String>,
    pub(crate) senders: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "app_password_new.html")]
struct Form {
    frame: Frame,
    whose: Whose,
    typed: Typed,
    wrong: Wrong,
    /// What the form as a whole is not taken for.
    refused: Option<String>,
    /// At the limit: those of one's own that are used least, to be revoked.
    unused: Vec<AppPasswordShown>,
    offers_cram_md5: bool,
    /// The senders of the account.
    senders: Vec<String>,
    confirm: ConfirmForm,
    number: u64,
}

#[derive(Template)]
#[template(path = "app_password_made.html")]
struct Made {
    frame: Frame,
    whose: Whose,
    once: PasswordOnce,
}

/// The form, empty.
///
/// # Errors
/// When the store can't tell who the account may send as.
pub(crate) async fn show(
    console: &Console,
    visit: &Visit,
    current: &Current,
    whose: &Whose,
) -> Result<Response, Problem> {
    let typed = Typed { ends: "never".to_owned(), ..Typed::default() };
    let confirm = ConfirmForm::of(current, visit);
    form(console, visit, current, whose, (typed, Wrong::default()), confirm, (StatusCode::OK, None)).await
}

async fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    whose: &Whose,
    (typed, wrong): (Typed, Wrong),
    confirm: ConfirmForm,
    (status, refused): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let senders = senders_of(console, &whose.account).await?;
    let (frame, number, whose) = ((whose.frame)(console, visit, current), Once::number(), whose.clone());
    let is_full = status == StatusCode::CONFLICT && refused.as_deref() != Some(visit.texts.made_already());
    let unused = match is_full && whose.is_own {
        true => unused(console, visit, &whose.account).await?,
        false => Vec::new(),
    };
    let offers_cram_md5 = console.desk().offers_cram_md5();
    let html = page(&Form {
        frame,
        whose,
        typed,
        wrong,
        refused,
        unused,
        offers_cram_md5,
        senders,
        confirm,
        number,
    })?;
    Ok((status, html).into_response())
}

/// The app passwords that are used least: never, or not for longest.
async fn unused(
    console: &Console,
    visit: &Visit,
    account: &Account,
) -> Result<Vec<AppPasswordShown>, Problem> {
    let mut all = console.desk().app_passwords(account, ListPage::first(ALL)).await?.items;
    all.sort_by_key(|one| one.last_used_at);
    let lately = SentLately::of(console, account, visit.now).await?;
    Ok(all.iter().take(UNUSED).map(|one| AppPasswordShown::of(one, visit).with(&lately)).collect())
}

/// Whom the account may send as.
pub(crate) async fn senders_of(console: &Console, account: &Account) -> Result<Vec<String>, Problem> {
    let identities = console.desk().senders(account, ListPage::first(SENDERS)).await?.items;
    let own = std::iter::once(account.address.to_string());
    Ok(own.chain(identities.into_iter().map(|identity| identity.sender)).collect())
}

/// Makes it of what was typed, once it is confirmed and unless the form was sent before, and shows the password.
///
/// # Errors
/// When the store does not take it.
pub(crate) async fn make(
    console: &Console,
    visit: &Visit,
    current: Current,
    whose: &Whose,
    fields: &Fields,
) -> Result<Response, Problem> {
    let mut typed = Typed::of(fields);
    // What is kept for it is no good where it can't be used.
    typed.cram_md5 &= console.desk().offers_cram_md5();
    let wish = match typed.wish(visit, whose.not_a_sender(visit.texts)) {
        Ok(wish) => wish,
        Err(wrong) => {
            let confirm = ConfirmForm::of(&current, visit);
            let refused = (StatusCode::UNPROCESSABLE_ENTITY, None);
            return form(console, visit, &current, whose, (typed, wrong), confirm, refused).await;
        }
    };
    match confirm::ask(console, visit, current.clone(), fields).await? {
        Asked::Yes(current, cookie) => {
            let number = fields.text("number").parse().unwrap_or_default();
            let made = once(console, visit, &current, whose, (typed, wish), number).await?;
            Ok((cookie, made).into_response())
        }
        Asked::No(confirm, status) => {
            form(console, visit, &current, whose, (typed, Wrong::default()), confirm, (status, None)).await
        }
    }
}

/// Makes it, unless the form was sent before.
async fn once(
    console: &Console,
    visit: &Visit,
    current: &Current,
    whose: &Whose,
    (typed, wish): (Typed, AppPasswordWish),
    number: u64,
) -> Result<Response, Problem> {
    let (session, t) = (current.signed_in.session.id, visit.texts);
    let confirm = ConfirmForm::default();
    if !console.once.is_first(session, number) {
        let refused = (StatusCode::CONFLICT, Some(t.made_already().to_owned()));
        return form(console, visit, current, whose, (typed, Wrong::default()), confirm, refused).await;
    }
    match console.desk().create_app_password(&current.act(visit), &whose.account, &wish).await {
        Ok((view, _)) => made(console, visit, current, whose, &view),
        Err(trouble) => {
            console.once.forget(session, number);
            let (wrong, status, refused) = match trouble {
                Trouble::TooMany { limit, .. } => {
                    (Wrong::default(), StatusCode::CONFLICT, Some(whose.too_many(limit, t)))
                }
                Trouble::NotCovered { .. } => {
                    let wrong = Wrong { senders: Some(whose.not_a_sender(t)), ..Wrong::default() };
                    (wrong, StatusCode::UNPROCESSABLE_ENTITY, None)
                }
                other => return Err(other.into()),
            };
            form(console, visit, current, whose, (typed, wrong), confirm, (status, refused)).await
        }
    }
}

fn made(
    console: &Console,
    visit: &Visit,
    current: &Current,
    whose: &Whose,
    view: &view::NewAppPassword,
) -> Result<Response, Problem> {
    // An administrator hands on the letters; the profile is for the device of whoever is signed in.
    let profile = whose.is_own.then(|| apple_profile::PATH.to_owned());
    let html = page(&Made {
        frame: (whose.frame)(console, visit, current),
        whose: whose.clone(),
        once: PasswordOnce::of(console, view, &whose.account, profile, Some(whose.list.clone())),
    })?;
    Ok((StatusCode::OK, html).into_response())
}

impl Whose {
    fn too_many(&self, limit: u32, t: Texts) -> String {
        if self.is_own { t.too_many_app_passwords(limit) } else { t.it_has_too_many_app_passwords(limit) }
    }

    fn senders_hint(&self, t: &Texts) -> &'static str {
        if self.is_own { t.senders_hint() } else { t.its_senders_hint() }
    }

    fn not_a_sender(&self, t: Texts) -> &'static str {
        if self.is_own { t.not_your_sender() } else { t.not_its_sender() }
    }
}

impl Typed {
    pub(crate) fn of(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            label: text(LABEL),
            ends: text("ends"),
            day: text("day"),
            networks: text("networks"),
            senders: fields.all("sender").map(str::to_owned).collect(),
            cram_md5: fields.text("cram_md5") == "yes",
        }
    }

    /// What is wished for; or what is wrong with it, where `not_a_sender` says that of senders.
    pub(crate) fn wish(&self, visit: &Visit, not_a_sender: &'static str) -> Result<AppPasswordWish, Wrong> {
        let t = visit.texts;
        let (label, end) = (label::read(&self.label, t), self.end(visit.now, t));
        let (networks, senders) = (networks::read(&self.networks), self.senders());
        match (label, end, networks, senders) {
            (Ok(label), Some(expires_at), Ok(networks), Some(senders)) => {
                let scopes = vec![Scope::Smtp];
                let cram_md5 = self.cram_md5;
                Ok(AppPasswordWish { label, scopes, networks, senders, expires_at, cram_md5 })
            }
            (label, end, networks, senders) => Err(Wrong {
                label: label.err(),
                ends: end.is_none().then(|| t.end_is_no_day()),
                networks: networks.err().map(|line| t.no_network(plain(line))),
                senders: senders.is_none().then_some(not_a_sender),
            }),
        }
    }

    /// When it ends, if ever; `None` if that is not understood, or has passed.
    fn end(&self, now: Timestamp, t: Texts) -> Option<Option<Timestamp>> {
        match self.ends.as_str() {
            "never" | "" => Some(None),
            "day" => ends::after_day(&self.day, now, t).map(Some),
            days => ends::after_days(days, now).map(Some),
        }
    }

    fn senders(&self) -> Option<Vec<SenderPattern>> {
        self.senders.iter().map(|sender| sender.parse().ok()).collect()
    }
}
