//! App passwords: listed, made, relabelled, revoked.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::routing::on;
use desk::{AppPasswordWish, view};
use jiff::Timestamp;
use serde::Deserialize;
use types::{CredentialId, Scope, SenderPattern};

use super::answer::{Done, Made, Shown};
use super::body::Body;
use super::caller::{Caller, Named, Subject};
use super::failure::Failure;
use super::operation::Operation;
use super::paging::{List, Paging};
use super::text::{Line, Network, Text, present};
use crate::console::Console;
use crate::right::{Right, Route};

const READ: Right = Right::Token(Scope::AccountRead);
const WRITE: Right = Right::Token(Scope::AccountWrite);
const READ_ANY: Right = Right::Token(Scope::AccountsRead);
const WRITE_ANY: Right = Right::Token(Scope::AccountsWrite);

const ALL: &str = "/api/v1/account/app-passwords";
const ONE: &str = "/api/v1/account/app-passwords/{id}";
const ALL_OF_ANY: &str = "/api/v1/admin/accounts/{address}/app-passwords";
const ONE_OF_ANY: &str = "/api/v1/admin/accounts/{address}/app-passwords/{id}";

pub(crate) const ROUTES: &[Route] = &[
    Route::api(Method::GET, ALL, READ, |method| on(method, list), LIST),
    Route::api(Method::POST, ALL, WRITE, |method| on(method, create), CREATE),
    Route::api(Method::GET, ONE, READ, |method| on(method, show), SHOW),
    Route::api(Method::PATCH, ONE, WRITE, |method| on(method, relabel), RELABEL),
    Route::api(Method::DELETE, ONE, WRITE, |method| on(method, revoke), REVOKE),
];

/// The same of any account.
pub(crate) const ROUTES_OF_ANY: &[Route] = &[
    Route::api(
        Method::GET,
        ALL_OF_ANY,
        READ_ANY,
        |method| on(method, list),
        LIST.of_any("listAccountAppPasswords"),
    ),
    Route::api(
        Method::POST,
        ALL_OF_ANY,
        WRITE_ANY,
        |method| on(method, create),
        CREATE.of_any("createAccountAppPassword"),
    ),
    Route::api(
        Method::GET,
        ONE_OF_ANY,
        READ_ANY,
        |method| on(method, show),
        SHOW.of_any("getAccountAppPassword"),
    ),
    Route::api(
        Method::PATCH,
        ONE_OF_ANY,
        WRITE_ANY,
        |method| on(method, relabel),
        RELABEL.of_any("relabelAccountAppPassword"),
    ),
    Route::api(
        Method::DELETE,
        ONE_OF_ANY,
        WRITE_ANY,
        |method| on(method, revoke),
        REVOKE.of_any("revokeAccountAppPassword"),
    ),
];

const LIST: Operation = Operation::new("listAppPasswords", "Lists the app passwords, oldest first")
    .lists::<view::AppPassword>("AppPassword");
const CREATE: Operation = Operation::new(
    "createAppPassword",
    "Makes an app password; its sixteen letters are in this answer alone",
)
.takes::<Wish>("AppPasswordWish")
.makes::<view::NewAppPassword>("NewAppPassword")
.or(&["too-many", "not-covered", "changed"]);
const SHOW: Operation = Operation::new("getAppPassword", "Shows an app password")
    .shows::<view::AppPassword>("AppPassword")
    .or(&["no-app-password"]);
const RELABEL: Operation = Operation::new("relabelAppPassword", "Gives an app password another label")
    .takes::<Relabelled>("AppPasswordPatch")
    .shows::<view::AppPassword>("AppPassword")
    .or(&["no-app-password"]);
const REVOKE: Operation =
    Operation::new("revokeAppPassword", "Revokes an app password: sessions that use it end")
        .or(&["no-app-password"]);

/// An app password that is to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// Where it will be used, in its owner's words.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    label: Text<Line>,
    /// When it stops working; never, if this is `null` or not there.
    #[serde(default)]
    expires_at: Option<Timestamp>,
    /// Networks in CIDR form, or addresses, from where it may be used; everywhere, if there are none.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    networks: Vec<Text<Network>>,
    /// Whom it may send as: addresses, or `*@example.org`; everybody that the account may, if there are none.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    senders: Vec<Text<SenderPattern>>,
    /// Whether it can be used with CRAM-MD5, too; for that the password itself is kept, sealed.
    #[serde(default)]
    cram_md5: bool,
}

/// What of an app password is to be changed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Relabelled {
    /// Where it is in use, in its owner's words.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200, nullable = false)]
    label: Option<Text<Line>>,
}

async fn list(
    State(console): State<Arc<Console>>,
    subject: Subject,
    paging: Paging,
) -> Result<List<view::AppPassword>, Failure> {
    Ok(paging.of(console.desk().app_passwords(&subject.account, paging.page()?).await?))
}

async fn create(
    State(console): State<Arc<Console>>,
    caller: Caller,
    subject: Subject,
    Body(wish): Body<Wish>,
) -> Result<Made<view::NewAppPassword>, Failure> {
    let wish = wish.meant(caller.now)?;
    let (view, _) = console.desk().create_app_password(&caller.act(), &subject.account, &wish).await?;
    let location = format!("{}/app-passwords/{}", subject.path, view.app_password.id);
    Ok(Made { view, location })
}

async fn show(
    State(console): State<Arc<Console>>,
    subject: Subject,
    named: Named,
) -> Result<Shown<view::AppPassword>, Failure> {
    Ok(Shown(console.desk().show_app_password(&subject.account, named.read("id")?).await?))
}

async fn relabel(
    State(console): State<Arc<Console>>,
    caller: Caller,
    subject: Subject,
    named: Named,
    Body(patch): Body<Relabelled>,
) -> Result<Shown<view::AppPassword>, Failure> {
    let (desk, id): (_, CredentialId) = (console.desk(), named.read("id")?);
    if let Some(Text(Line(label))) = patch.label {
        desk.relabel_app_password(&caller.act(), &subject.account, id, &label).await?;
    }
    Ok(Shown(desk.show_app_password(&subject.account, id).await?))
}

async fn revoke(
    State(console): State<Arc<Console>>,
    caller: Caller,
    subject: Subject,
    named: Named,
) -> Result<Done, Failure> {
    let id: CredentialId = named.read("id")?;
    console.desk().revoke_app_password(&caller.act(), &subject.account, &id.to_string()).await?;
    Ok(Done)
}

impl Wish {
    fn meant(self, now: Timestamp) -> Result<AppPasswordWish, Failure> {
        if self.expires_at.is_some_and(|end| end <= now) {
            return Err(Failure::invalid("/expires_at", "this time has passed; write one that lies ahead"));
        }
        let Text(Line(label)) = self.label;
        Ok(AppPasswordWish {
            label,
            scopes: vec![store::Scope::Smtp],
            networks: self.networks.into_iter().map(|Text(Network(network))| network).collect(),
            senders: self.senders.into_iter().map(|Text(sender)| sender).collect(),
            expires_at: self.expires_at,
            cram_md5: self.cram_md5,
        })
    }
}
