//! The accounts, for administration: listed, made, shown, changed, removed; whom they may send as, and who is locked out of them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::Method;
use axum::routing::on;
use desk::{Desk, NewAccount, Trouble, view};
use serde::Deserialize;
use store::{Account, AccountChange, AccountFilter, AccountState, Departure, LastAdministrator};
use types::{Mailbox, Scope};

use super::answer::{Done, Made, Shown};
use super::body::Body;
use super::caller::{Caller, Subject, path_of};
use super::condition::IfMatch;
use super::failure::Failure;
use super::filter;
use super::operation::{Operation, Parameter};
use super::paging::{List, Paging};
use super::text::{Line, Text, merged, present};
use crate::console::Console;
use crate::list::Query;
use crate::right::{Right, Route};

const READ: Right = Right::Token(Scope::AccountsRead);
const WRITE: Right = Right::Token(Scope::AccountsWrite);

const ALL: &str = "/api/v1/admin/accounts";
const ONE: &str = "/api/v1/admin/accounts/{address}";

pub(crate) const ROUTES: &[Route] = &[
    Route::api(Method::GET, ALL, READ, |method| on(method, list), LIST),
    Route::api(Method::POST, ALL, WRITE, |method| on(method, add), ADD),
    Route::api(Method::GET, ONE, READ, |method| on(method, show), SHOW),
    Route::api(Method::PATCH, ONE, WRITE, |method| on(method, change), CHANGE),
    Route::api(Method::DELETE, ONE, WRITE, |method| on(method, remove), REMOVE),
];

const LIST: Operation = Operation::new("listAccounts", "Lists the accounts by their addresses")
    .lists::<view::User>("Account")
    .filtered_by(&[
        Parameter::text("q", "With this text in the address or the name."),
        Parameter::one_of("state", "In this state.", filter::account_states),
    ]);
const ADD: Operation = Operation::new(
    "addAccount",
    "Makes an account without a password: it can be used by app passwords, until its owner has chosen one",
)
.takes::<Wish>("AccountWish")
.makes::<view::User>("Account")
.or(&["account-exists"]);
const SHOW: Operation =
    Operation::new("showAccount", "Shows an account").shows::<view::User>("Account").of_any("showAccount");
const CHANGE: Operation = Operation::new("changeAccount", "Changes what of an account is named")
    .takes::<Patch>("AccountPatch")
    .shows::<view::User>("Account")
    .or(&["account-exists", "undo-too-long", "last-administrator"])
    .if_match()
    .of_any("changeAccount");
const REMOVE: Operation = Operation::new(
    "removeAccount",
    "Removes an account and its credentials; what it has in the queue stays there, and is delivered",
)
.or(&["last-administrator"])
.if_match()
.of_any("removeAccount");

/// An account that is to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The name to log in with, and the address to send as.
    #[schema(value_type = String)]
    address: Text<Mailbox>,
    /// What people call it.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    name: Option<Text<Line>>,
    /// Whether it is an administrator's.
    #[serde(default)]
    admin: bool,
}

/// What of an account is to be changed; what is not there stays as it is.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Patch {
    /// The name to log in with, and the address to send as.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, nullable = false)]
    address: Option<Text<Mailbox>>,
    /// What people call it; `null`: nothing any more.
    #[serde(default, deserialize_with = "merged")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    name: Option<Option<Text<Line>>>,
    /// Whether it is an administrator's.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    admin: Option<bool>,
    /// Whether it is barred from logging in.
    #[serde(default, deserialize_with = "present")]
    #[schema(nullable = false)]
    disabled: Option<bool>,
    /// For how many seconds its messages can be taken back; `null`: as long as the configuration says.
    #[serde(default, deserialize_with = "merged")]
    #[schema(value_type = Option<u32>)]
    undo_seconds: Option<Option<u32>>,
}

async fn list(
    State(console): State<Arc<Console>>,
    query: Query,
    paging: Paging,
) -> Result<List<view::User>, Failure> {
    let state = query.get("state").and_then(AccountState::from_name);
    let wanted = AccountFilter { text: query.get("q").map(str::to_owned), state, ..AccountFilter::default() };
    Ok(paging.of(console.desk().list_accounts(&wanted, paging.page()?).await?))
}

async fn add(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Body(wish): Body<Wish>,
) -> Result<Made<view::User>, Failure> {
    let (Text(address), name) = (wish.address, wish.name.map(|Text(Line(name))| name));
    let location = path_of(&address);
    let new = NewAccount { address, name, admin: wish.admin, password: None };
    let (view, _) = console.desk().add_account(&caller.act(), new).await?;
    Ok(Made { view, location })
}

async fn show(State(console): State<Arc<Console>>, subject: Subject) -> Result<Shown<view::User>, Failure> {
    Ok(Shown(console.desk().show_account(&subject.account).await?))
}

async fn change(
    State(console): State<Arc<Console>>,
    caller: Caller,
    if_match: IfMatch,
    subject: Subject,
    Body(patch): Body<Patch>,
) -> Result<Shown<view::User>, Failure> {
    let (desk, act, account) = (console.desk(), caller.act(), &subject.account);
    if_match.see(&desk.show_account(account).await?)?;
    if patch.admin == Some(false) || patch.disabled == Some(true) {
        see_another_administrator(&desk, account).await?;
    }
    let undo = patch.undo_seconds.map(|seconds| seconds.map(|seconds| Duration::from_secs(seconds.into())));
    // What can be refused comes first: of a patch that is refused nothing is done (RFC 5789 section 2).
    desk.see_undo(undo.flatten())?;
    let change = AccountChange {
        name: patch.name.map(|name| name.map(|Text(Line(name))| name)),
        address: patch.address.map(|Text(address)| address),
        admin: patch.admin,
    };
    let address = change.address.clone().unwrap_or_else(|| account.address.clone());
    desk.let_go(&act, account, Departure::Change(change), LastAdministrator::Stays).await?;
    if let Some(undo) = undo {
        desk.choose_undo(&act, account, undo).await?;
    }
    match patch.disabled.filter(|disabled| *disabled != account.disabled) {
        Some(true) => desk.let_go(&act, account, Departure::Disable, LastAdministrator::Stays).await?,
        Some(false) => desk.bar_account(&act, account, false).await?,
        None => {}
    }
    Ok(Shown(desk.show_account(&desk.find(&address).await?).await?))
}

/// Sees that somebody else can administer, too, before the first of several changes; otherwise it takes the command line to let one in again.
async fn see_another_administrator(desk: &Desk, account: &Account) -> Result<(), Failure> {
    match desk.is_last_administrator(account).await? {
        true => Err(Trouble::LastAdministrator(account.address.clone()).into()),
        false => Ok(()),
    }
}

async fn remove(
    State(console): State<Arc<Console>>,
    caller: Caller,
    if_match: IfMatch,
    subject: Subject,
) -> Result<Done, Failure> {
    let desk = console.desk();
    if_match.see(&desk.show_account(&subject.account).await?)?;
    desk.let_go(&caller.act(), &subject.account, Departure::Remove, LastAdministrator::Stays).await?;
    Ok(Done)
}
