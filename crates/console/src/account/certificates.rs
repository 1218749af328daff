//! Certificates of one's own, which mail programs log in with: the list, adding one, taking one away.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::on;
use desk::{ShownCertificate, Taken, Trouble, view};
use store::Page as ListPage;
use types::Fingerprint;

use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::label::{self, LABEL};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/account/certificates";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::SignedIn, |method| on(method, show)),
    Route::post(PATH, Right::SignedIn, |method| on(method, add)),
    Route::get("/account/certificates/{id}/remove", Right::SignedIn, |method| on(method, ask)),
    Route::post("/account/certificates/{id}/remove", Right::SignedIn, |method| on(method, remove)),
];

/// Certificates that are shown of an account.
const ALL: u32 = 1_000;

#[derive(Template)]
#[template(path = "account/certificates.html")]
struct ListOf {
    frame: Frame,
    all: Vec<Shown>,
    /// What was typed.
    label: String,
    pem: String,
    wrong: Wrong,
    confirm: ConfirmForm,
}

/// What is wrong with what was typed, by the field.
#[derive(Debug, Default)]
struct Wrong {
    label: Option<&'static str>,
    pem: Option<String>,
}

#[derive(Template)]
#[template(path = "account/certificate_remove.html")]
struct Question {
    frame: Frame,
    one: Shown,
    action: String,
}

/// A certificate, as its owner sees it.
struct Shown {
    fingerprint: String,
    label: String,
    added: Time,
    ends: Option<Time>,
    is_over: bool,
    last_used: Option<(Time, String)>,
}

impl Shown {
    fn of(view: &view::Certificate, visit: &Visit) -> Self {
        let time = |at| Time::of(at, visit.now, visit.texts);
        let ip = view.last_used_ip.map(|ip| ip.to_string()).unwrap_or_default();
        Self {
            fingerprint: view.fingerprint.clone(),
            label: plain(&view.label),
            added: time(view.created_at),
            ends: view.expires_at.map(time),
            is_over: view.expires_at.is_some_and(|end| end <= visit.now),
            last_used: view.last_used_at.map(|at| (time(at), ip)),
        }
    }
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let confirm = ConfirmForm::of(&current, &visit);
    list(&console, &visit, &current, None, Wrong::default(), (confirm, StatusCode::OK)).await
}

async fn list(
    console: &Console,
    visit: &Visit,
    current: &Current,
    typed: Option<&Fields>,
    wrong: Wrong,
    (confirm, status): (ConfirmForm, StatusCode),
) -> Result<Response, Problem> {
    let all = console.desk().certificates(&current.signed_in.account, ListPage::first(ALL)).await?.items;
    let typed = |name| typed.map(|fields| fields.text(name).to_owned()).unwrap_or_default();
    let html = page(&ListOf {
        frame: Frame::inside(console, visit, current, PATH),
        all: all.iter().map(|one| Shown::of(one, visit)).collect(),
        label: typed(LABEL),
        // A private key that was pasted by mistake stands in no answer.
        pem: Some(typed("pem")).filter(|pem| !pem.contains("PRIVATE KEY")).unwrap_or_default(),
        wrong,
        confirm,
    })?;
    Ok((status, html).into_response())
}

async fn add(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let t = visit.texts;
    let (label, der) = (label::read(fields.text(LABEL), t), certificate(fields.text("pem")));
    let wrong = Wrong {
        label: label.as_ref().err().copied(),
        pem: der.is_none().then(|| t.no_certificate().to_owned()),
    };
    let (Ok(label), Some(der)) = (label, der) else {
        let asks = (ConfirmForm::of(&current, &visit), StatusCode::UNPROCESSABLE_ENTITY);
        return list(&console, &visit, &current, Some(&fields), wrong, asks).await;
    };
    let (current, cookie) = match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => (current, cookie),
        Asked::No(confirm, status) => {
            return list(&console, &visit, &current, Some(&fields), wrong, (confirm, status)).await;
        }
    };
    let (desk, act, account) = (console.desk(), current.act(&visit), &current.signed_in.account);
    let said = match desk.trust_certificate(&act, account, label.clone(), ShownCertificate::Der(&der)).await {
        Ok(_) => {
            console.flashes.say(current.signed_in.session.id, t.certificate_added(plain(&label)));
            return Ok((cookie, Redirect::to(PATH)).into_response());
        }
        Err(Trouble::NoCertificate) => t.no_certificate(),
        Err(Trouble::Expired(_)) => t.certificate_is_over(),
        // Whose it is, is nobody else's business.
        Err(Trouble::Taken(Taken::Certificate { .. })) => t.certificate_is_taken(),
        Err(other) => return Err(other.into()),
    };
    let wrong = Wrong { pem: Some(said.to_owned()), ..Wrong::default() };
    let asks = (ConfirmForm::of(&current, &visit), StatusCode::UNPROCESSABLE_ENTITY);
    let answer = list(&console, &visit, &current, Some(&fields), wrong, asks).await?;
    Ok((cookie, answer).into_response())
}

/// The first certificate of a text, as octets (RFC 7468).
fn certificate(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let (_, rest) = text.split_once("-----BEGIN CERTIFICATE-----")?;
    let (body, _) = rest.split_once("-----END CERTIFICATE-----")?;
    let letters: String = body.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(letters).ok()
}

/// The certificate that a path names, if it is one of whoever is signed in.
async fn named(
    console: &Console,
    current: &Current,
    id: &str,
) -> Result<(Fingerprint, view::Certificate), Problem> {
    let fingerprint: Fingerprint = id.parse().map_err(|_| Problem::NotFound)?;
    let all = console.desk().certificates(&current.signed_in.account, ListPage::first(ALL)).await?.items;
    let found = all.into_iter().find(|one| one.fingerprint == fingerprint.to_string());
    Ok((fingerprint, found.ok_or(Problem::NotFound)?))
}

async fn ask(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let (fingerprint, view) = named(&console, &current, &id).await?;
    let frame = Frame::inside(&console, &visit, &current, PATH);
    let action = format!("{PATH}/{fingerprint}/remove");
    Ok(page(&Question { frame, one: Shown::of(&view, &visit), action })?.into_response())
}

async fn remove(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(id): Path<String>,
) -> Result<Redirect, Problem> {
    let (fingerprint, view) = named(&console, &current, &id).await?;
    let account = &current.signed_in.account;
    console.desk().distrust_certificate(&current.act(&visit), account, fingerprint).await?;
    console.flashes.say(current.signed_in.session.id, visit.texts.certificate_removed(plain(&view.label)));
    Ok(Redirect::to(PATH))
}

#[cfg(test)]
mod tests {
    use super::certificate;

    #[test]
    fn a_certificate_is_read_out_of_whatever_stands_around_it() {
        let pem = "Subject: x\n-----BEGIN CERTIFICATE-----\r\n AQID\r\nBA==\n-----END CERTIFICATE-----\nmore";
        assert_eq!(certificate(pem).as_deref(), Some(&[1, 2, 3, 4][..]));
        for wrong in ["", "AQID", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"] {
            assert_eq!(certificate(wrong), None, "{wrong}");
        }
    }
}
