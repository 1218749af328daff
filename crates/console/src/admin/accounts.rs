//! Accounts: the list, and each with its credentials' state, what it has sent of what it may, and its logins.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Html;
use axum::routing::on;
use desk::view;
use store::{AccountFilter, AccountState, Action, AuditFilter, Page as ListPage};
use types::Mailbox;

use crate::account::app_passwords;
use crate::console::Console;
use crate::frame::{Frame, page};
use crate::limits_used::Used;
use crate::list::{Query, ROWS, is_full};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::invitation::InvitationShown;
use crate::shown::sign_in::SignInShown;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(super) const PATH: &str = "/admin/accounts";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::Admin, |method| on(method, list)),
    Route::get("/admin/accounts/{address}", Right::Admin, |method| on(method, show)),
];

/// Logins that are shown of an account.
const LATEST: u32 = 20;

#[derive(Template)]
#[template(path = "admin/accounts.html")]
struct ListOfAccounts {
    frame: Frame,
    text: String,
    /// Each state by its name, what it is called, and whether it is looked for.
    states: Vec<(&'static str, &'static str, bool)>,
    rows: Vec<Row>,
    next: Option<String>,
}

struct Row {
    address: String,
    name: Option<String>,
    admin: bool,
    disabled: bool,
    second_factor: bool,
    last_login: Option<Time>,
}

#[derive(Template)]
#[template(path = "admin/account.html")]
struct Account {
    frame: Frame,
    account: Row,
    made: Time,
    /// The invitation that waits, if there is one.
    invitation: Option<InvitationShown>,
    app_passwords: Vec<AppPassword>,
    limits: Vec<Used>,
    sign_ins: Vec<SignInShown>,
}

struct AppPassword {
    label: String,
    made: Time,
    last_used: Option<Time>,
    ends: Option<Time>,
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Html<String>, Problem> {
    let state = query.get("state").and_then(AccountState::from_name);
    let text = query.get("q").map(str::to_owned);
    let filter = AccountFilter { text: text.clone(), state };
    let after = query.get("after").map(str::to_owned);
    let listed = console.desk().list_accounts(&filter, ListPage { after, limit: ROWS }).await?;
    page(&ListOfAccounts {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        text: text.unwrap_or_default(),
        states: states(state, &visit),
        rows: listed.items.iter().map(|user| Row::of(user, &visit)).collect(),
        next: listed.last.filter(|_| is_full(listed.items.len())).map(|last| query.next(PATH, &last)),
    })
}

fn states(chosen: Option<AccountState>, visit: &Visit) -> Vec<(&'static str, &'static str, bool)> {
    let t = visit.texts;
    [
        (AccountState::Enabled, t.may_log_in()),
        (AccountState::Disabled, t.disabled()),
        (AccountState::Admin, t.administrators()),
        (AccountState::SecondFactor, t.with_second_factor()),
        (AccountState::NoSecondFactor, t.without_second_factor()),
    ]
    .map(|(state, words)| (state.name(), words, chosen == Some(state)))
    .into()
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
) -> Result<Html<String>, Problem> {
    let (desk, t) = (console.desk(), visit.texts);
    let address = Mailbox::parse(&address).map_err(|_| Problem::NotFound)?;
    let account = desk.find(&address).await?;
    let user = desk.show_account(&account).await?;
    let app_passwords = desk.app_passwords(&account, ListPage::first(app_passwords::ALL)).await?.items;
    let logins = AuditFilter {
        account: Some(account.address.normal()),
        action: Some(Action::Login),
        ..AuditFilter::default()
    };
    let sign_ins = desk.audit(&logins, ListPage::first(LATEST)).await?.items;
    page(&Account {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        account: Row::of(&user, &visit),
        invitation: desk.invitation(&account).await?.map(|view| InvitationShown::of(&view, &visit)),
        made: Time::of(user.created_at, visit.now, t),
        limits: user.sending.iter().flat_map(|sending| Used::each(sending, t)).collect(),
        sign_ins: sign_ins.iter().map(|entry| SignInShown::of(entry, &app_passwords, &visit)).collect(),
        app_passwords: app_passwords.iter().map(|one| AppPassword::of(one, &visit)).collect(),
    })
}

impl Row {
    fn of(user: &view::User, visit: &Visit) -> Self {
        Self {
            address: user.address.clone(),
            name: user.name.as_deref().map(plain),
            admin: user.admin,
            disabled: user.disabled,
            second_factor: user.totp,
            last_login: user.last_login_at.map(|at| Time::of(at, visit.now, visit.texts)),
        }
    }
}

impl AppPassword {
    fn of(one: &view::AppPassword, visit: &Visit) -> Self {
        let time = |at| Time::of(at, visit.now, visit.texts);
        Self {
            label: plain(&one.label),
            made: time(one.created_at),
            last_used: one.last_used_at.map(time),
            ends: one.expires_at.map(time),
        }
    }
}
