//! Signing in: address and password, and then the code of the second factor, if there is one.

use std::sync::Arc;

use askama::Template;
use auth::{Attempt, Origin, SecondStep, SignIn, Ticket, User};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum::routing::on;
use desk::Trouble;
use jiff::Timestamp;
use types::{Secret, WebPart};

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::before;
use crate::session::cookie::{Cookie, new_cookie};
use crate::session::current::Current;
use crate::shown::time::end_of_wait;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/", Right::Anyone, |method| on(method, first_page)),
    Route::get(PASSWORD, Right::Anyone, |method| on(method, show)),
    Route::post(PASSWORD, Right::Anyone, |method| on(method, take_password)),
    Route::get(CODE, Right::Anyone, |method| on(method, show_code)),
    Route::post(CODE, Right::Anyone, |method| on(method, take_code)),
];

const PASSWORD: &str = "/sign-in";
const CODE: &str = "/sign-in/code";

/// The longest address that is shown again, in characters.
const ADDRESS: usize = 320;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct PasswordPage<'a> {
    frame: Frame,
    address: String,
    wrong: Option<String>,
    help: Option<&'a str>,
    /// Whether it is told here how a mail program is set up.
    has_set_up: bool,
}

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct CodePage<'a> {
    frame: Frame,
    wrong: Option<String>,
    help: Option<&'a str>,
}

/// Why a form is shown once more.
enum Retry {
    Refused,
    Code,
    /// The password has to be shown again.
    Over,
    Throttled(Timestamp),
    Unavailable,
}

async fn first_page(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Redirect, Problem> {
    let is_signed_in = Current::of(&console, &headers, &visit).await?.is_some();
    Ok(Redirect::to(if is_signed_in { "/account" } else { PASSWORD }))
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match Current::of(&console, &headers, &visit).await? {
        Some(_) => Ok(Redirect::to("/account").into_response()),
        None => password_page(&console, &visit, &headers, "", None),
    }
}

async fn take_password(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    let address = fields.text("address");
    let attempt = Attempt::sign_in(address.to_owned(), fields.secret("password"), None);
    let wrong = match console.judge.first_step(attempt, &Origin::web(&visit.facts)).await {
        SignIn::SignedIn(user) => return signed_in(&console, &visit, &headers, &user).await,
        SignIn::NeedsCode(ticket) => {
            let cookie = Cookie::Step.set(&ticket.declassify(), &visit);
            return Ok((new_cookie(cookie), Redirect::to(CODE)).into_response());
        }
        SignIn::Refused => Retry::Refused,
        SignIn::Throttled { until } => Retry::Throttled(until),
        SignIn::Unavailable => Retry::Unavailable,
    };
    password_page(&console, &visit, &headers, address, Some(&wrong))
}

async fn show_code(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    match ticket(&headers, &visit) {
        Some(_) => code_page(&console, &visit, &headers, None),
        None => Ok(Redirect::to(PASSWORD).into_response()),
    }
}

async fn take_code(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, Problem> {
    let Some(ticket) = ticket(&headers, &visit) else { return Ok(Redirect::to(PASSWORD).into_response()) };
    let code = Secret::new(fields.text("code"));
    let wrong = match console.judge.second_step(&ticket, &code, &Origin::web(&visit.facts)).await {
        SecondStep::SignedIn(user) => return signed_in(&console, &visit, &headers, &user).await,
        SecondStep::WrongCode => Retry::Code,
        SecondStep::Over => {
            let again = password_page(&console, &visit, &headers, "", Some(&Retry::Over))?;
            return Ok((new_cookie(Cookie::Step.end(&visit)), again).into_response());
        }
        SecondStep::Throttled { until } => Retry::Throttled(until),
        SecondStep::Unavailable => Retry::Unavailable,
    };
    code_page(&console, &visit, &headers, Some(&wrong))
}

/// Opens a session, in the place of one that the browser may have, and of the ticket.
async fn signed_in(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    user: &User,
) -> Result<Response, Problem> {
    if let Some(former) = Current::of(console, headers, visit).await? {
        console.desk().sign_out(&former.act(visit), &former.signed_in).await?;
    }
    match console.desk().open_session(user, visit.facts.peer.ip(), &visit.agent).await {
        Ok((token, session)) => {
            console.flashes.say(session.id, visit.texts.you_are_signed_in(&user.address));
            let session = Cookie::Session.set(&token.declassify(), visit);
            let cookies = [session, Cookie::Step.end(visit), Cookie::Before.end(visit)];
            let cookies = AppendHeaders(cookies.map(|cookie| (header::SET_COOKIE, cookie)));
            Ok((cookies, Redirect::to("/account")).into_response())
        }
        Err(Trouble::SignInOvertaken(_)) => Ok(Redirect::to(PASSWORD).into_response()),
        Err(other) => Err(other.into()),
    }
}

fn ticket(headers: &HeaderMap, visit: &Visit) -> Option<Ticket> {
    Cookie::Step.read(headers, visit).and_then(Ticket::parse)
}

fn password_page(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    address: &str,
    wrong: Option<&Retry>,
) -> Result<Response, Problem> {
    let (frame, cookie) = before::frame(Cookie::Before, console, visit, headers);
    let address = address.chars().take(ADDRESS).collect();
    let (said, help) = (wrong.map(|wrong| wrong.words(visit)), console.settings.help.as_deref());
    let has_set_up = visit.is_served(WebPart::Clients);
    let html = page(&PasswordPage { frame, address, wrong: said, help, has_set_up })?;
    Ok((status(wrong), cookie, html).into_response())
}

fn code_page(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    wrong: Option<&Retry>,
) -> Result<Response, Problem> {
    let (frame, cookie) = before::frame(Cookie::Before, console, visit, headers);
    let (said, help) = (wrong.map(|wrong| wrong.words(visit)), console.settings.help.as_deref());
    let html = page(&CodePage { frame, wrong: said, help })?;
    Ok((status(wrong), cookie, html).into_response())
}

impl Retry {
    /// What is told. Whether the address, the password or the account is at fault, nobody learns.
    fn words(&self, visit: &Visit) -> String {
        let t = visit.texts;
        match self {
            Retry::Refused => t.wrong_password().to_owned(),
            Retry::Code => t.wrong_code().to_owned(),
            Retry::Over => t.password_again().to_owned(),
            Retry::Throttled(until) => t.too_many_tries(end_of_wait(*until, visit.now, t)),
            Retry::Unavailable => t.not_judged().to_owned(),
        }
    }
}

fn status(wrong: Option<&Retry>) -> StatusCode {
    match wrong {
        None => StatusCode::OK,
        Some(Retry::Refused | Retry::Code | Retry::Over) => StatusCode::UNPROCESSABLE_ENTITY,
        Some(Retry::Throttled(_)) => StatusCode::TOO_MANY_REQUESTS,
        Some(Retry::Unavailable) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
