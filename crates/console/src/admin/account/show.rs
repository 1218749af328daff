//! All that is known of an account, without secrets; and letting it in when it is locked out.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{Html, Redirect};
use axum::routing::on;
use desk::{SignInFilter, Whom};
use store::{Account, Action, Page as ListPage, ThrottleFilter};

use super::{below, frame, named, path_of};
use crate::account::app_passwords::ALL;
use crate::admin::accounts::Row;
use crate::admin::locked_out::LockedOut;
use crate::console::Console;
use crate::frame::{Frame, page};
use crate::limits_used::Used;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::app_password::AppPasswordShown;
use crate::shown::invitation::InvitationShown;
use crate::shown::sign_in::SignInShown;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/admin/accounts/{address}", Right::Admin, |method| on(method, show)),
    Route::post("/admin/accounts/{address}/let-in", Right::Admin, |method| on(method, let_in)),
];

/// Logins that are shown of an account.
const LATEST: u32 = 20;

/// Identities that are shown here.
const IDENTITIES: u32 = 20;

/// Counters of failed logins that are looked at.
const COUNTERS: u32 = 100;

#[derive(Template)]
#[template(path = "admin/account/show.html")]
struct Page {
    frame: Frame,
    account: Row,
    path: String,
    made: Time,
    /// The invitation that waits, if there is one.
    invitation: Option<InvitationShown>,
    app_passwords: Vec<AppPasswordShown>,
    identities: Vec<String>,
    limits: Vec<Used>,
    locked_out: Vec<LockedOut>,
    sign_ins: Vec<SignInShown>,
}

impl Page {
    /// The path of what is done to the account.
    fn below(&self, verb: &str) -> String {
        format!("{}/{verb}", self.path)
    }
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
) -> Result<Html<String>, Problem> {
    let account = named(&console, &address).await?;
    let (desk, t) = (console.desk(), visit.texts);
    let user = desk.show_account(&account).await?;
    let app_passwords = desk.app_passwords(&account, ListPage::first(ALL)).await?.items;
    let identities = desk.senders(&account, ListPage::first(IDENTITIES)).await?.items;
    page(&Page {
        frame: frame(&console, &visit, &current),
        path: path_of(&user.address),
        made: Time::of(user.created_at, visit.now, t),
        invitation: desk.invitation(&account).await?.map(|view| InvitationShown::of(&view, &visit)),
        identities: identities.iter().map(|identity| plain(&identity.sender)).collect(),
        limits: user.sending.iter().flat_map(|sending| Used::each(sending, t)).collect(),
        locked_out: locked_out(&console, &visit, &account).await?,
        sign_ins: sign_ins(&console, &visit, &account).await?,
        app_passwords: app_passwords.iter().map(|one| AppPasswordShown::of(one, &visit)).collect(),
        account: Row::of(&user, &visit),
    })
}

/// Its logins, and not those of another whose address it was before.
async fn sign_ins(console: &Console, visit: &Visit, account: &Account) -> Result<Vec<SignInShown>, Problem> {
    let logins = SignInFilter { action: Some(Action::Login), ..SignInFilter::default() };
    let found = console.desk().sign_ins(account, logins, ListPage::first(LATEST)).await?.items;
    Ok(found.iter().map(|entry| SignInShown::told(entry, visit)).collect())
}

/// Where the account is locked out.
async fn locked_out(console: &Console, visit: &Visit, account: &Account) -> Result<Vec<LockedOut>, Problem> {
    let filter = ThrottleFilter { account: Some(account.address.normal()), ..ThrottleFilter::default() };
    let found = console.desk().locked_out(&filter, ListPage::first(COUNTERS)).await?;
    Ok(found.items.iter().map(|one| LockedOut::of(one, visit)).collect())
}

async fn let_in(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(address): Path<String>,
) -> Result<Redirect, Problem> {
    let account = named(&console, &address).await?;
    let whom = Whom::Account(account.address.clone());
    console.desk().let_in(&current.act(&visit), &whom).await?;
    let said = visit.texts.is_let_in(plain(&whom.to_string()));
    console.flashes.say(current.signed_in.session.id, said);
    Ok(Redirect::to(below(&account, "").trim_end_matches('/')))
}
