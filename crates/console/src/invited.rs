//! The pages of an invitation: a password, and then a second factor. All of it is done at the end, and only then the link is used up.

use std::sync::Arc;

use askama::Template;
use auth::totp::Seed;
use auth::{NotConfirmed, Origin};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{Acceptance, Accepted, FoundLink, OWN_PASSWORD_CHARACTERS, Trouble};
use store::{Account, EnrolmentState, Page as ListPage};
use types::{SecondFactorRule, Secret};
use zeroize::Zeroizing;

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::links::find::{act, browser, find, frame, was_used_here};
use crate::links::half_accepted::Begun;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::shown::qr::Qr;
use crate::shown::seed::grouped;
use crate::shown::time::end_of_wait;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/invited/{link}", Right::Link, |method| on(method, show)),
    Route::post("/invited/{link}", Right::Link, |method| on(method, choose)),
    Route::get("/invited/{link}/second-factor", Right::Link, |method| on(method, show_factor)),
    Route::post("/invited/{link}/second-factor", Right::Link, |method| on(method, finish)),
];

#[derive(Template)]
#[template(path = "invited.html")]
struct PasswordForm {
    frame: Frame,
    /// Where the form is sent to: the link itself.
    path: String,
    address: String,
    least: usize,
    /// Whether there is a second factor whose code is asked for.
    needs_code: bool,
    /// Whether there are app passwords, API tokens or certificates, which stay good unless they are revoked.
    has_others: bool,
    /// Whether those are to be revoked, as it was ticked.
    revoke: bool,
    wrong_password: Option<String>,
    wrong_code: Option<String>,
}

#[derive(Template)]
#[template(path = "invited_factor.html")]
struct FactorForm {
    frame: Frame,
    path: String,
    qr: Option<Qr>,
    seed: Zeroizing<String>,
    can_skip: bool,
    wrong: Option<String>,
}

#[derive(Template)]
#[template(path = "invited_done.html")]
struct Done {
    frame: Frame,
    address: String,
    codes: Vec<Zeroizing<String>>,
}

/// What was wrong with the first form, and with which status it is shown again.
#[derive(Default)]
struct Wrong {
    password: Option<String>,
    code: Option<String>,
    revoke: bool,
}

/// Where somebody stands who comes with an invitation.
enum Standing {
    /// It is good.
    Waiting(FoundLink),
    /// This browser has accepted it.
    AcceptedHere(FoundLink),
}

async fn standing(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    text: &str,
) -> Result<Standing, Problem> {
    let link = find(console, visit, text).await?;
    if link.invitation().is_none() {
        return Err(Problem::NotFound);
    }
    match link.state(visit.now) {
        EnrolmentState::Waiting => Ok(Standing::Waiting(link)),
        EnrolmentState::Used if was_used_here(console, visit, headers, &link).await? => {
            Ok(Standing::AcceptedHere(link))
        }
        EnrolmentState::Used | EnrolmentState::Withdrawn | EnrolmentState::Over => Err(Problem::NotFound),
    }
}

/// Whether the code of a second factor is asked for: if there is one, and nobody has said that it is lost.
fn needs_code(link: &FoundLink) -> bool {
    link.account.totp && link.invitation() == Some(false)
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
    Path(text): Path<String>,
) -> Result<Response, Problem> {
    match standing(&console, &visit, &headers, &text).await? {
        Standing::Waiting(link) => {
            form(&console, &visit, &headers, (&link, &text), (StatusCode::OK, Wrong::default())).await
        }
        Standing::AcceptedHere(link) => done(&console, &visit, &link, Vec::new()),
    }
}

async fn form(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    (link, text): (&FoundLink, &str),
    (status, wrong): (StatusCode, Wrong),
) -> Result<Response, Problem> {
    let (frame, cookie) = frame(console, visit, headers);
    let html = page(&PasswordForm {
        frame,
        path: format!("/invited/{text}"),
        address: link.account.address.to_string(),
        least: OWN_PASSWORD_CHARACTERS,
        needs_code: needs_code(link),
        has_others: has_others(console, &link.account).await?,
        revoke: wrong.revoke,
        wrong_password: wrong.password,
        wrong_code: wrong.code,
    })?;
    Ok((status, cookie, html).into_response())
}

/// Whether something else than the password gets in to this account.
async fn has_others(console: &Console, account: &Account) -> Result<bool, Problem> {
    let desk = console.desk();
    Ok(!desk.app_passwords(account, ListPage::first(1)).await?.items.is_empty()
        || !desk.tokens(account).await?.is_empty()
        || !desk.certificates(account, ListPage::first(1)).await?.items.is_empty())
}

async fn choose(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
    Path(text): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let link = match standing(&console, &visit, &headers, &text).await? {
        Standing::Waiting(link) => link,
        Standing::AcceptedHere(link) => return done(&console, &visit, &link, Vec::new()),
    };
    let (password, revoke) = (fields.secret("new"), fields.text("revoke") == "yes");
    // Before a code is used up for it.
    if let Err(trouble) = console.desk().judge_invited_password(&link.account, &password) {
        let wrong = Wrong { password: Some(trouble.to_string()), revoke, ..Wrong::default() };
        let refused = (StatusCode::UNPROCESSABLE_ENTITY, wrong);
        return form(&console, &visit, &headers, (&link, &text), refused).await;
    }
    if needs_code(&link) {
        let code = Secret::new(fields.text("code"));
        if let Err(not) = console.judge.confirm_code(&link.account, &code, &Origin::web(&visit.facts)).await {
            // The code may be used up because another request of this browser has done it all.
            if let Standing::AcceptedHere(link) = standing(&console, &visit, &headers, &text).await? {
                return done(&console, &visit, &link, Vec::new());
            }
            let (status, code) = told(&not, &visit);
            let wrong = Wrong { code: Some(code), revoke, ..Wrong::default() };
            return form(&console, &visit, &headers, (&link, &text), (status, wrong)).await;
        }
        let acceptance = Acceptance { password, second_factor: None, revoke_app_passwords: revoke };
        return accept(&console, &visit, &headers, (&link, &text), acceptance).await;
    }
    let cookie = browser(&headers, &visit)?.cookie;
    let (seed, version) = (Seed::generate(), link.account.version);
    let begun = Begun { password, revoke_app_passwords: revoke, seed, version };
    console.half_accepted.begin((link.id(), cookie), begun, visit.now);
    Ok(Redirect::to(&format!("/invited/{text}/second-factor")).into_response())
}

fn told(not: &NotConfirmed, visit: &Visit) -> (StatusCode, String) {
    let t = visit.texts;
    match not {
        NotConfirmed::Wrong | NotConfirmed::NeedsCode => {
            (StatusCode::UNPROCESSABLE_ENTITY, t.wrong_code().to_owned())
        }
        NotConfirmed::Throttled { until } => {
            (StatusCode::TOO_MANY_REQUESTS, t.too_many_tries(end_of_wait(*until, visit.now, t)))
        }
        NotConfirmed::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, t.not_judged().to_owned()),
    }
}

/// What this browser has chosen so far; `None` if it has to begin anew.
fn begun(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    link: &FoundLink,
) -> Result<Option<Begun>, Problem> {
    let cookie = browser(headers, visit)?.cookie;
    let begun = console.half_accepted.of((link.id(), cookie), visit.now);
    Ok(begun.filter(|begun| begun.version == link.account.version))
}

fn begin_anew(text: &str) -> Response {
    Redirect::to(&format!("/invited/{text}")).into_response()
}

async fn show_factor(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
    Path(text): Path<String>,
) -> Result<Response, Problem> {
    let link = match standing(&console, &visit, &headers, &text).await? {
        Standing::Waiting(link) => link,
        Standing::AcceptedHere(link) => return done(&console, &visit, &link, Vec::new()),
    };
    match begun(&console, &visit, &headers, &link) {
        Ok(Some(begun)) => factor_form(&console, &visit, &headers, (&link, &text), &begun, None),
        Ok(None) | Err(Problem::Forbidden) => Ok(begin_anew(&text)),
        Err(problem) => Err(problem),
    }
}

fn factor_form(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    (link, text): (&FoundLink, &str),
    begun: &Begun,
    wrong: Option<String>,
) -> Result<Response, Problem> {
    let (frame, cookie) = frame(console, visit, headers);
    let shown = console.desk().show_seed(&begun.seed, &link.account);
    let status = if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let html = page(&FactorForm {
        frame,
        path: format!("/invited/{text}/second-factor"),
        qr: Qr::of(&shown.uri),
        seed: grouped(&shown.secret),
        can_skip: can_skip(console),
        wrong,
    })?;
    Ok((status, cookie, html).into_response())
}

fn can_skip(console: &Console) -> bool {
    console.settings.second_factor == SecondFactorRule::Optional
}

async fn finish(
    State(console): State<Arc<Console>>,
    visit: Visit,
    headers: HeaderMap,
    Path(text): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let link = match standing(&console, &visit, &headers, &text).await? {
        Standing::Waiting(link) => link,
        Standing::AcceptedHere(link) => return done(&console, &visit, &link, Vec::new()),
    };
    let Some(begun) = begun(&console, &visit, &headers, &link)? else { return Ok(begin_anew(&text)) };
    let is_skipped = fields.text("skip") == "yes" && can_skip(&console);
    let code = Secret::new(fields.text("code"));
    let acceptance = Acceptance {
        password: begun.password.clone(),
        second_factor: (!is_skipped).then_some((&begun.seed, code)),
        revoke_app_passwords: begun.revoke_app_passwords,
    };
    let browser = browser(&headers, &visit)?;
    match console.desk().accept_invitation(&act(&link, &visit), &link, acceptance, browser).await {
        Err(Trouble::WrongCode) => {
            // The code may be used up because another request of this browser has done it all.
            if let Standing::AcceptedHere(link) = standing(&console, &visit, &headers, &text).await? {
                return done(&console, &visit, &link, Vec::new());
            }
            let wrong = Some(visit.texts.wrong_code().to_owned());
            factor_form(&console, &visit, &headers, (&link, &text), &begun, wrong)
        }
        accepted => concluded(&console, &visit, &headers, (&link, &text), accepted).await,
    }
}

async fn accept(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    (link, text): (&FoundLink, &str),
    acceptance: Acceptance<'_>,
) -> Result<Response, Problem> {
    let browser = browser(headers, visit)?;
    let accepted = console.desk().accept_invitation(&act(link, visit), link, acceptance, browser).await;
    concluded(console, visit, headers, (link, text), accepted).await
}

async fn concluded(
    console: &Console,
    visit: &Visit,
    headers: &HeaderMap,
    (link, text): (&FoundLink, &str),
    accepted: Result<Accepted, Trouble>,
) -> Result<Response, Problem> {
    match accepted {
        Ok(Accepted { recovery_codes, .. }) => {
            console.half_accepted.end(link.id(), visit.now);
            let codes = recovery_codes.map(|codes| codes.recovery_codes).unwrap_or_default();
            done(console, visit, link, codes)
        }
        // Another request was faster, of this browser perhaps.
        Err(Trouble::Missing(_)) => match standing(console, visit, headers, text).await? {
            Standing::AcceptedHere(link) => done(console, visit, &link, Vec::new()),
            Standing::Waiting(_) => Ok(begin_anew(text)),
        },
        Err(Trouble::LinkOvertaken(_)) => Ok(begin_anew(text)),
        Err(other) => Err(other.into()),
    }
}

fn done(
    console: &Console,
    visit: &Visit,
    link: &FoundLink,
    codes: Vec<Zeroizing<String>>,
) -> Result<Response, Problem> {
    let (frame, address) = (Frame::outside(console, visit), link.account.address.to_string());
    Ok(page(&Done { frame, address, codes })?.into_response())
}
