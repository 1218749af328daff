//! The first page of one's own account: how it is protected, who has signed in, what has been sent of what may be.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::{Html, IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{SignInFilter, view};
use store::{Account, Action, LedgerFilter, Page as ListPage, QueuedBy};

use super::app_passwords;
use crate::console::Console;
use crate::frame::{Frame, page};
use crate::limits_used::Used;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::{Administration, Current};
use crate::shown::invitation::InvitationShown;
use crate::shown::place::PlaceShown;
use crate::shown::sign_in::SignInShown;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::SignedIn, |method| on(method, show)),
    Route::post("/account/invitation/withdraw", Right::SignedIn, |method| on(method, withdraw)),
];

/// Sign-ins that are shown here.
const LATEST: u32 = 5;

#[derive(Template)]
#[template(path = "account/overview.html")]
struct Page {
    frame: Frame,
    /// To whom administration would be open with a second factor.
    needs_second_factor: bool,
    /// What a new account has to do, until it has sent something.
    steps: Option<Steps>,
    /// The invitation of the account that waits, if there is one: its owner may know nothing of it.
    invitation: Option<InvitationShown>,
    second_factor: SecondFactor,
    app_passwords: AppPasswords,
    asked: Vec<PlaceShown>,
    sign_ins: Vec<SignInShown>,
    limits: Vec<Used>,
}

/// Which of its first steps a new account has done; the third is to send something.
struct Steps {
    second_factor: bool,
    app_password: bool,
}

/// How the second factor stands.
struct SecondFactor {
    since: Option<Time>,
    recovery_codes: u32,
}

/// What there is of app passwords.
struct AppPasswords {
    count: usize,
    /// Those that nobody has ever used.
    unused: usize,
    /// The next that ends: its label, and when.
    next_end: Option<(String, Time)>,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Html<String>, Problem> {
    let (desk, account) = (console.desk(), &current.signed_in.account);
    let second_factor = desk.second_factor(account).await?;
    let app_passwords = desk.app_passwords(account, ListPage::first(app_passwords::ALL)).await?.items;
    let sending = desk.sending_of(account).await?;
    let logins = SignInFilter { action: Some(Action::Login), ..SignInFilter::default() };
    let sign_ins = desk.sign_ins(account, logins, ListPage::first(LATEST)).await?.items;
    let asked = desk.unfamiliar_sign_ins(&current.signed_in).await?;
    page(&Page {
        frame: Frame::inside(&console, &visit, &current, PATH),
        needs_second_factor: current.administration(&console, &visit) == Administration::NeedsSecondFactor,
        steps: Steps::of(&console, account, &app_passwords).await?,
        invitation: desk.invitation(account).await?.map(|view| InvitationShown::of(&view, &visit)),
        second_factor: SecondFactor::of(&second_factor, &visit),
        asked: asked.iter().map(|place| PlaceShown::of(place, &visit)).collect(),
        sign_ins: sign_ins.iter().map(|one| SignInShown::told(one, &visit)).collect(),
        app_passwords: AppPasswords::of(&app_passwords, &visit),
        limits: Used::each(&sending, visit.texts),
    })
}

async fn withdraw(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let who = &current.signed_in;
    // If it was used a moment ago, the page has it no longer.
    if console.desk().withdraw_invitation(&current.act(&visit), &who.account).await? {
        console.flashes.say(who.session.id, visit.texts.invitation_withdrawn(&who.account.address));
    }
    Ok(Redirect::to(PATH).into_response())
}

impl Steps {
    /// The steps of an account; `None` once it has sent something.
    async fn of(
        console: &Console,
        account: &Account,
        app_passwords: &[view::AppPassword],
    ) -> Result<Option<Self>, Problem> {
        if app_passwords.iter().any(|one| one.last_used_at.is_some()) {
            return Ok(None);
        }
        let filter = LedgerFilter { account: Some(QueuedBy::of(account)), ..LedgerFilter::default() };
        let sent = console.desk().sent_messages(&filter, ListPage::first(1)).await?.items;
        let steps = Self { second_factor: account.totp, app_password: !app_passwords.is_empty() };
        Ok(sent.is_empty().then_some(steps))
    }
}

impl SecondFactor {
    fn of(view: &view::SecondFactor, visit: &Visit) -> Self {
        let since = view.confirmed_at.map(|at| Time::of(at, visit.now, visit.texts));
        Self { since, recovery_codes: view.recovery_codes }
    }
}

impl AppPasswords {
    fn of(all: &[view::AppPassword], visit: &Visit) -> Self {
        let good: Vec<_> =
            all.iter().filter(|one| one.expires_at.is_none_or(|end| end > visit.now)).collect();
        let next = good.iter().filter_map(|one| Some((one.expires_at?, one))).min_by_key(|(end, _)| *end);
        Self {
            count: good.len(),
            unused: good.iter().filter(|one| one.last_used_at.is_none()).count(),
            next_end: next.map(|(end, one)| (plain(&one.label), Time::of(end, visit.now, visit.texts))),
        }
    }
}
