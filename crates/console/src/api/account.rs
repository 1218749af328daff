//! An account: one's own at `/account`, another's below `/admin/accounts` for administration. The handlers are the same, the account is
//! another.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::routing::on;
use desk::{SignInFilter, view};
use jiff::Timestamp;
use store::AuditResult;
use types::{Scope, WebSessionId};

use super::answer::{Done, Shown};
use super::caller::{Caller, Named, Subject};
use super::failure::Failure;
use super::filter;
use super::operation::{Operation, Parameter};
use super::paging::{List, Paging};
use crate::console::Console;
use crate::list::Query;
use crate::right::{Right, Route};

const READ: Right = Right::Token(Scope::AccountRead);
const WRITE: Right = Right::Token(Scope::AccountWrite);
const READ_ANY: Right = Right::Token(Scope::AccountsRead);
const WRITE_ANY: Right = Right::Token(Scope::AccountsWrite);

pub(crate) const ROUTES: &[Route] = &[
    Route::api(Method::GET, "/api/v1/account", READ, |method| on(method, show), SHOW),
    Route::api(Method::GET, "/api/v1/account/identities", READ, |method| on(method, identities), IDENTITIES),
    Route::api(Method::GET, "/api/v1/account/sending", READ, |method| on(method, sending), SENDING),
    Route::api(
        Method::GET,
        "/api/v1/account/certificates",
        READ,
        |method| on(method, certificates),
        CERTIFICATES,
    ),
    Route::api(
        Method::GET,
        "/api/v1/account/second-factor",
        READ,
        |method| on(method, second_factor),
        SECOND_FACTOR,
    ),
    Route::api(Method::GET, "/api/v1/account/sign-ins", READ, |method| on(method, sign_ins), SIGN_INS),
    Route::api(Method::GET, "/api/v1/account/sessions", READ, |method| on(method, sessions), SESSIONS),
    Route::api(
        Method::DELETE,
        "/api/v1/account/sessions",
        WRITE,
        |method| on(method, end_sessions),
        END_SESSIONS,
    ),
    Route::api(
        Method::DELETE,
        "/api/v1/account/sessions/{id}",
        WRITE,
        |method| on(method, end_session),
        END_SESSION,
    ),
];

/// The same of any account.
pub(crate) const ROUTES_OF_ANY: &[Route] = &[
    Route::api(
        Method::GET,
        "/api/v1/admin/accounts/{address}/certificates",
        READ_ANY,
        |method| on(method, certificates),
        CERTIFICATES.of_any("listAccountCertificates"),
    ),
    Route::api(
        Method::GET,
        "/api/v1/admin/accounts/{address}/second-factor",
        READ_ANY,
        |method| on(method, second_factor),
        SECOND_FACTOR.of_any("getAccountSecondFactor"),
    ),
    Route::api(
        Method::GET,
        "/api/v1/admin/accounts/{address}/sign-ins",
        READ_ANY,
        |method| on(method, sign_ins),
        SIGN_INS.of_any("listAccountSignIns"),
    ),
    Route::api(
        Method::GET,
        "/api/v1/admin/accounts/{address}/sessions",
        READ_ANY,
        |method| on(method, sessions),
        SESSIONS.of_any("listAccountSessions"),
    ),
    Route::api(
        Method::DELETE,
        "/api/v1/admin/accounts/{address}/sessions",
        WRITE_ANY,
        |method| on(method, end_sessions),
        END_SESSIONS.of_any("endAccountSessions"),
    ),
    Route::api(
        Method::DELETE,
        "/api/v1/admin/accounts/{address}/sessions/{id}",
        WRITE_ANY,
        |method| on(method, end_session),
        END_SESSION.of_any("endAccountSession"),
    ),
];

const SHOW: Operation =
    Operation::new("getAccount", "Shows the account whose token it is").shows::<view::User>("Account");
const IDENTITIES: Operation =
    Operation::new("listIdentities", "Lists whom the account may send as besides itself")
        .lists::<view::Identity>("Identity");
const SENDING: Operation = Operation::new("getSending", "Shows how much the account has sent of what it may")
    .shows::<view::Sending>("Sending");
const CERTIFICATES: Operation =
    Operation::new("listCertificates", "Lists the certificates that the account logs in with")
        .lists::<view::Certificate>("Certificate");
const SECOND_FACTOR: Operation = Operation::new("getSecondFactor", "Shows how the second factor stands")
    .shows::<view::SecondFactor>("SecondFactor");
const SIGN_INS: Operation =
    Operation::new("listSignIns", "Lists what the audit trail has about the account, newest first")
        .lists::<view::SignIn>("SignIn")
        .filtered_by(&[
            Parameter::one_of("result", "What succeeded, or what failed.", filter::results),
            Parameter::text("credential", "By or about this credential alone."),
            Parameter::time("since", "Not before this."),
        ]);
const SESSIONS: Operation =
    Operation::new("listSessions", "Lists the browser sessions that are open, newest first")
        .lists::<view::Session>("Session");
const END_SESSIONS: Operation = Operation::new("endSessions", "Ends every browser session of the account");
const END_SESSION: Operation = Operation::new("endSession", "Ends a browser session").or(&["no-session"]);

async fn show(State(console): State<Arc<Console>>, subject: Subject) -> Result<Shown<view::User>, Failure> {
    Ok(Shown(console.desk().show_account(&subject.account).await?))
}

pub(super) async fn identities(
    State(console): State<Arc<Console>>,
    subject: Subject,
    paging: Paging,
) -> Result<List<view::Identity>, Failure> {
    Ok(paging.of(console.desk().senders(&subject.account, paging.page()?).await?))
}

async fn sending(
    State(console): State<Arc<Console>>,
    subject: Subject,
) -> Result<Shown<view::Sending>, Failure> {
    Ok(Shown(console.desk().sending_of(&subject.account).await?))
}

async fn certificates(
    State(console): State<Arc<Console>>,
    subject: Subject,
    paging: Paging,
) -> Result<List<view::Certificate>, Failure> {
    Ok(paging.of(console.desk().certificates(&subject.account, paging.page()?).await?))
}

async fn second_factor(
    State(console): State<Arc<Console>>,
    subject: Subject,
) -> Result<Shown<view::SecondFactor>, Failure> {
    Ok(Shown(console.desk().second_factor(&subject.account).await?))
}

async fn sign_ins(
    State(console): State<Arc<Console>>,
    subject: Subject,
    query: Query,
    paging: Paging,
) -> Result<List<view::SignIn>, Failure> {
    let since: Option<Timestamp> = filter::time(&query, "since")?;
    let result = query.get("result").and_then(AuditResult::from_name);
    let credential = query.get("credential").map(str::to_owned);
    let wanted = SignInFilter { result, credential, since, action: None };
    Ok(paging.of_sparse(console.desk().sign_ins(&subject.account, wanted, paging.page()?).await?))
}

async fn sessions(
    State(console): State<Arc<Console>>,
    subject: Subject,
    paging: Paging,
) -> Result<List<view::Session>, Failure> {
    let sessions = console.desk().sessions(&subject.account, None).await?;
    paging.of_all(sessions, |session| session.id.parse::<WebSessionId>().ok())
}

async fn end_sessions(
    State(console): State<Arc<Console>>,
    caller: Caller,
    subject: Subject,
) -> Result<Done, Failure> {
    console.desk().end_sessions(&caller.act(), &subject.account, None).await?;
    Ok(Done)
}

async fn end_session(
    State(console): State<Arc<Console>>,
    caller: Caller,
    subject: Subject,
    named: Named,
) -> Result<Done, Failure> {
    let id: WebSessionId = named.read("id")?;
    console.desk().end_session(&caller.act(), &subject.account, &id.to_string()).await?;
    Ok(Done)
}
