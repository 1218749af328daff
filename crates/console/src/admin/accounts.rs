//! Accounts: the list.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Html;
use axum::routing::on;
use desk::view;
use jiff::SignedDuration;
use store::{AccountFilter, AccountState, Page as ListPage};

use super::account::{ACCOUNTS as PATH, path_of};
use crate::console::Console;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, is_full};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[Route::get(PATH, Right::Admin, |method| on(method, list))];

/// Unused for so long, an account is one that may be forgotten.
const UNUSED: SignedDuration = SignedDuration::from_hours(90 * 24);

#[derive(Template)]
#[template(path = "admin/accounts.html")]
struct ListOfAccounts {
    frame: Frame,
    text: String,
    /// Each state by its name, what it is called, and whether it is looked for.
    states: Vec<(&'static str, &'static str, bool)>,
    unused: bool,
    /// Whether everything is shown that there is.
    is_whole: bool,
    rows: Vec<Row>,
    next: Option<String>,
}

/// An account, as the list has it.
pub(super) struct Row {
    pub(super) address: String,
    pub(super) path: String,
    pub(super) name: Option<String>,
    pub(super) admin: bool,
    pub(super) disabled: bool,
    pub(super) second_factor: bool,
    pub(super) last_login: Option<Time>,
    pub(super) app_passwords: u64,
    pub(super) sent_today: u32,
}

async fn list(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Html<String>, Problem> {
    let state = query.get("state").and_then(AccountState::from_name);
    let text = query.get("q").map(str::to_owned);
    let unused = query.get("unused") == Some("yes");
    let unused_since = visit.now.checked_sub(UNUSED).ok().filter(|_| unused);
    let filter = AccountFilter { text: text.clone(), state, unused_since };
    let after = query.get("after").map(str::to_owned);
    let is_whole = filter == AccountFilter::default() && after.is_none();
    let listed = console.desk().list_accounts(&filter, ListPage { after, limit: ROWS }).await?;
    page(&ListOfAccounts {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        text: text.unwrap_or_default(),
        states: states(state, &visit),
        unused,
        is_whole,
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

impl Row {
    pub(super) fn of(user: &view::User, visit: &Visit) -> Self {
        Self {
            address: user.address.clone(),
            path: path_of(&user.address),
            name: user.name.as_deref().map(plain),
            admin: user.admin,
            disabled: user.disabled,
            second_factor: user.totp,
            last_login: user.last_login_at.map(|at| Time::of(at, visit.now, visit.texts)),
            app_passwords: user.app_passwords,
            sent_today: user.sent_today,
        }
    }
}
