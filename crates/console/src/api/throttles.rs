//! Who is locked out after failed logins, and letting them in.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::routing::on;
use desk::{Whom, view};
use serde::{Deserialize, Serialize};
use store::{ThrottleFilter, ThrottleKind, network_of};
use types::{Mailbox, Scope};

use super::answer::{Done, Shown};
use super::body::Body;
use super::caller::{Caller, Subject};
use super::failure::Failure;
use super::filter;
use super::operation::{Operation, Parameter};
use super::paging::{List, Paging};
use super::text::{Network, Text};
use crate::console::Console;
use crate::list::Query;
use crate::right::{Right, Route};

const READ: Right = Right::Token(Scope::ThrottlesRead);
const WRITE: Right = Right::Token(Scope::ThrottlesWrite);

const OF_ONE: &str = "/api/v1/admin/accounts/{address}/throttles";

pub(crate) const ROUTES: &[Route] = &[
    Route::api(Method::GET, "/api/v1/admin/throttles", READ, |method| on(method, list), LIST),
    Route::api(Method::POST, "/api/v1/admin/throttles/clear", WRITE, |method| on(method, clear), CLEAR),
    Route::api(Method::GET, OF_ONE, READ, |method| on(method, list_of_one), LIST_OF_ONE),
    Route::api(Method::DELETE, OF_ONE, WRITE, |method| on(method, clear_one), CLEAR_ONE),
];

const LIST: Operation =
    Operation::new("listThrottles", "Lists who is locked out, those who are let in first in front")
        .lists::<view::LockOut>("LockOut")
        .filtered_by(&[
            Parameter::one_of("kind", "What was counted.", filter::throttle_kinds),
            Parameter::text("account", "Of this account."),
            Parameter::text("network", "From this network, or from that of this address."),
        ]);
const CLEAR: Operation = Operation::new(
    "clearThrottle",
    "Lets in who is locked out: forgets what was counted of an account or a network",
)
.takes::<Wish>("ThrottleWish")
.shows::<Cleared>("Cleared");
const LIST_OF_ONE: Operation = Operation::new("", "Lists what an account is locked out by")
    .lists::<view::LockOut>("LockOut")
    .of_any("listAccountThrottles");
const CLEAR_ONE: Operation =
    Operation::new("", "Lets an account in that is locked out").of_any("clearAccountThrottles");

/// Who is to be let in.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// An account like `alice@example.org`, which need not exist, or an address or a network.
    #[schema(value_type = String)]
    whom: Text<Whom>,
}

/// Who was let in.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Cleared {
    /// How many counters there were.
    counters: u64,
}

async fn list(
    State(console): State<Arc<Console>>,
    query: Query,
    paging: Paging,
) -> Result<List<view::LockOut>, Failure> {
    let account: Option<Mailbox> = filter::read(&query, "account")?;
    let network: Option<Network> = filter::read(&query, "network")?;
    let wanted = ThrottleFilter {
        kind: query.get("kind").and_then(ThrottleKind::from_name),
        account: account.map(|address| address.normal()),
        network: network.map(|Network(network)| network_of(network.addr())),
    };
    Ok(paging.of_sparse(console.desk().locked_out(&wanted, paging.page()?).await?))
}

async fn list_of_one(
    State(console): State<Arc<Console>>,
    subject: Subject,
    paging: Paging,
) -> Result<List<view::LockOut>, Failure> {
    let account = Some(subject.account.address.normal());
    let wanted = ThrottleFilter { account, ..ThrottleFilter::default() };
    Ok(paging.of_sparse(console.desk().locked_out(&wanted, paging.page()?).await?))
}

async fn clear(
    State(console): State<Arc<Console>>,
    caller: Caller,
    Body(Wish { whom: Text(whom) }): Body<Wish>,
) -> Result<Shown<Cleared>, Failure> {
    Ok(Shown(Cleared { counters: console.desk().let_in(&caller.act(), &whom).await? }))
}

async fn clear_one(
    State(console): State<Arc<Console>>,
    caller: Caller,
    subject: Subject,
) -> Result<Done, Failure> {
    console.desk().let_in(&caller.act(), &Whom::Account(subject.account.address)).await?;
    Ok(Done)
}
