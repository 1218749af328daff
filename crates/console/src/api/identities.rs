//! Whom an account may send as besides itself, for administration.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::routing::on;
use desk::view;
use serde::Deserialize;
use types::{Scope, SenderPattern};

use super::account;
use super::answer::{Done, Made};
use super::body::Body;
use super::caller::{Caller, Named, Subject, in_path};
use super::failure::Failure;
use super::operation::Operation;
use super::text::Text;
use crate::console::Console;
use crate::right::{Right, Route};

const ALL: &str = "/api/v1/admin/accounts/{address}/identities";
const ONE: &str = "/api/v1/admin/accounts/{address}/identities/{sender}";

pub(crate) const ROUTES: &[Route] = &[
    Route::api(
        Method::GET,
        ALL,
        Right::Token(Scope::AccountsRead),
        |method| on(method, account::identities),
        LIST,
    ),
    Route::api(Method::POST, ALL, Right::Token(Scope::AccountsWrite), |method| on(method, allow), ALLOW),
    Route::api(Method::DELETE, ONE, Right::Token(Scope::AccountsWrite), |method| on(method, forbid), FORBID),
];

const LIST: Operation =
    Operation::new("listAccountIdentities", "Lists whom an account may send as besides itself")
        .lists::<view::Identity>("Identity")
        .of_any("listAccountIdentities");
const ALLOW: Operation = Operation::new("allowIdentity", "Lets an account send as somebody else, too")
    .takes::<Wish>("IdentityWish")
    .makes::<view::Identity>("Identity")
    .or(&["identity-exists", "own-address"])
    .of_any("allowIdentity");
const FORBID: Operation = Operation::new("forbidIdentity", "No longer lets an account send as somebody else")
    .or(&["no-identity"])
    .of_any("forbidIdentity");

/// Whom an account may send as.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// An address, `*@example.org` for everybody there, or `*` for anybody.
    #[schema(value_type = String)]
    sender: Text<SenderPattern>,
}

async fn allow(
    State(console): State<Arc<Console>>,
    caller: Caller,
    subject: Subject,
    Body(Wish { sender: Text(sender) }): Body<Wish>,
) -> Result<Made<view::Identity>, Failure> {
    let location = format!("{}/identities/{}", subject.path, in_path(&sender.to_string()));
    let (view, _) = console.desk().allow_sender(&caller.act(), &subject.account, sender).await?;
    Ok(Made { view, location })
}

async fn forbid(
    State(console): State<Arc<Console>>,
    caller: Caller,
    subject: Subject,
    named: Named,
) -> Result<Done, Failure> {
    console.desk().forbid_sender(&caller.act(), &subject.account, &named.read("sender")?).await?;
    Ok(Done)
}
