//! A new app password: what it is to be, confirmed by its owner; then the password, once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;
use desk::{AppPasswordWish, ClientSettings, Trouble, view};
use ipnet::IpNet;
use jiff::{SignedDuration, Timestamp, ToSpan as _, civil, tz::TimeZone};
use store::{Account, Page as ListPage, Scope};
use types::SenderPattern;
use zeroize::Zeroizing;

use super::app_passwords::PATH;
use super::label::{self, LABEL};
use crate::console::Console;
use crate::fields::Fields;
use crate::frame::{Frame, page};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::confirm::{self, Asked, ConfirmForm};
use crate::session::current::Current;
use crate::session::once::Once;
use crate::shown::strangers::plain;
use crate::visit::Visit;

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/account/app-passwords/new", Right::SignedIn, |method| on(method, show)),
    Route::post(PATH, Right::SignedIn, |method| on(method, make)),
];

/// Senders of an account that there are boxes for.
const SENDERS: u32 = 100;

/// The form, as it was typed.
#[derive(Debug, Default)]
struct Typed {
    label: String,
    /// `never`, `30`, `90`, `365` or `day`.
    ends: String,
    day: String,
    networks: String,
    senders: Vec<String>,
}

/// What is wrong with what was typed, by the field.
#[derive(Debug, Default)]
struct Wrong {
    label: Option<&'static str>,
    ends: Option<&'static str>,
    networks: Option<String>,
    senders: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "account/app_password_new.html")]
struct Form {
    frame: Frame,
    typed: Typed,
    wrong: Wrong,
    /// What the form as a whole is not taken for.
    refused: Option<String>,
    /// The senders of the account.
    senders: Vec<String>,
    confirm: ConfirmForm,
    number: u64,
}

#[derive(Template)]
#[template(path = "account/app_password_made.html")]
struct Made {
    frame: Frame,
    label: String,
    groups: Vec<Zeroizing<String>>,
    letters: Zeroizing<String>,
    address: String,
    server: ClientSettings,
}

async fn show(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
) -> Result<Response, Problem> {
    let typed = Typed { ends: "never".to_owned(), ..Typed::default() };
    let confirm = ConfirmForm::of(&current, &visit);
    form(&console, &visit, &current, (typed, Wrong::default()), confirm, (StatusCode::OK, None)).await
}

async fn form(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (typed, wrong): (Typed, Wrong),
    confirm: ConfirmForm,
    (status, refused): (StatusCode, Option<String>),
) -> Result<Response, Problem> {
    let senders = senders_of(console, &current.signed_in.account).await?;
    let frame = Frame::inside(console, visit, current, PATH);
    let html = page(&Form { frame, typed, wrong, refused, senders, confirm, number: Once::number() })?;
    Ok((status, html).into_response())
}

/// Whom the account may send as.
async fn senders_of(console: &Console, account: &Account) -> Result<Vec<String>, Problem> {
    let identities = console.desk().senders(account, ListPage::first(SENDERS)).await?.items;
    let own = std::iter::once(account.address.to_string());
    Ok(own.chain(identities.into_iter().map(|identity| identity.sender)).collect())
}

async fn make(
    State(console): State<Arc<Console>>,
    visit: Visit,
    current: Current,
    fields: Fields,
) -> Result<Response, Problem> {
    let typed = Typed::of(&fields);
    let wish = match typed.wish(&visit) {
        Ok(wish) => wish,
        Err(wrong) => {
            let confirm = ConfirmForm::of(&current, &visit);
            let refused = (StatusCode::UNPROCESSABLE_ENTITY, None);
            return form(&console, &visit, &current, (typed, wrong), confirm, refused).await;
        }
    };
    match confirm::ask(&console, &visit, current.clone(), &fields).await? {
        Asked::Yes(current, cookie) => {
            let number = fields.text("number").parse().unwrap_or_default();
            let made = once(&console, &visit, &current, (typed, wish), number).await?;
            Ok((cookie, made).into_response())
        }
        Asked::No(confirm, status) => {
            form(&console, &visit, &current, (typed, Wrong::default()), confirm, (status, None)).await
        }
    }
}

/// Makes it, unless the form was sent before.
async fn once(
    console: &Console,
    visit: &Visit,
    current: &Current,
    (typed, wish): (Typed, AppPasswordWish),
    number: u64,
) -> Result<Response, Problem> {
    let (session, t) = (current.signed_in.session.id, visit.texts);
    let confirm = ConfirmForm::default();
    if !console.once.is_first(session, number) {
        let refused = (StatusCode::CONFLICT, Some(t.made_already().to_owned()));
        return form(console, visit, current, (typed, Wrong::default()), confirm, refused).await;
    }
    let account = &current.signed_in.account;
    match console.desk().create_app_password(&current.act(visit), account, &wish).await {
        Ok((view, _)) => made(console, visit, current, &view),
        Err(trouble) => {
            console.once.forget(session, number);
            let (wrong, status, refused) = match trouble {
                Trouble::TooMany { limit, .. } => {
                    (Wrong::default(), StatusCode::CONFLICT, Some(t.too_many_app_passwords(limit)))
                }
                Trouble::NotCovered { .. } => {
                    let wrong = Wrong { senders: Some(t.not_your_sender()), ..Wrong::default() };
                    (wrong, StatusCode::UNPROCESSABLE_ENTITY, None)
                }
                other => return Err(other.into()),
            };
            form(console, visit, current, (typed, wrong), confirm, (status, refused)).await
        }
    }
}

fn made(
    console: &Console,
    visit: &Visit,
    current: &Current,
    view: &view::NewAppPassword,
) -> Result<Response, Problem> {
    let html = page(&Made {
        frame: Frame::inside(console, visit, current, PATH),
        label: plain(&view.app_password.label),
        groups: view.grouped.split(' ').map(|group| Zeroizing::new(group.to_owned())).collect(),
        letters: view.password.clone(),
        address: current.signed_in.account.address.to_string(),
        server: console.desk().client_settings(),
    })?;
    Ok((StatusCode::OK, html).into_response())
}

impl Typed {
    fn of(fields: &Fields) -> Self {
        let text = |name| fields.text(name).to_owned();
        Self {
            label: text(LABEL),
            ends: text("ends"),
            day: text("day"),
            networks: text("networks"),
            senders: fields.all("sender").map(str::to_owned).collect(),
        }
    }

    /// What is wished for; or what is wrong with it.
    fn wish(&self, visit: &Visit) -> Result<AppPasswordWish, Wrong> {
        let t = visit.texts;
        let (label, end) = (label::read(&self.label, t), self.end(visit.now));
        let (networks, senders) = (self.networks(), self.senders());
        match (label, end, networks, senders) {
            (Ok(label), Some(expires_at), Ok(networks), Some(senders)) => {
                let scopes = vec![Scope::Smtp];
                Ok(AppPasswordWish { label, scopes, networks, senders, expires_at, cram_md5: false })
            }
            (label, end, networks, senders) => Err(Wrong {
                label: label.err(),
                ends: end.is_none().then(|| t.end_is_no_day()),
                networks: networks.err().map(|line| t.no_network(plain(line))),
                senders: senders.is_none().then(|| t.not_your_sender()),
            }),
        }
    }

    /// When it ends, if ever; `None` if that is not understood, or has passed.
    fn end(&self, now: Timestamp) -> Option<Option<Timestamp>> {
        let days = match self.ends.as_str() {
            "never" | "" => return Some(None),
            "30" => 30,
            "90" => 90,
            "365" => 365,
            "day" => return end_of(&self.day).filter(|end| *end > now).map(Some),
            _ => return None,
        };
        now.checked_add(SignedDuration::from_hours(24 * days)).ok().map(Some)
    }

    /// The networks, one a line; or the line that is none.
    fn networks(&self) -> Result<Vec<IpNet>, &str> {
        let lines = self.networks.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(|line| network(line).ok_or(line)).collect()
    }

    fn senders(&self) -> Option<Vec<SenderPattern>> {
        self.senders.iter().map(|sender| sender.parse().ok()).collect()
    }
}

/// A network in CIDR form, or one address.
fn network(line: &str) -> Option<IpNet> {
    let one = || line.parse::<std::net::IpAddr>().ok().map(|ip| IpNet::from(ip.to_canonical()));
    line.parse::<IpNet>().ok().or_else(one).map(|network| network.trunc())
}

/// The end of this day, in UTC.
fn end_of(day: &str) -> Option<Timestamp> {
    let day: civil::Date = day.parse().ok()?;
    let next = day.checked_add(1.day()).ok()?;
    next.to_zoned(TimeZone::UTC).ok().map(|end| end.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_number_of_days_or_the_end_of_a_day_that_has_not_passed() {
        let now: Timestamp = "2026-03-02T14:05:00Z".parse().unwrap();
        let end = |ends: &str, day: &str| {
            Typed { ends: ends.to_owned(), day: day.to_owned(), ..Typed::default() }.end(now)
        };
        let at = |text: &str| Some(Some(text.parse::<Timestamp>().unwrap()));
        assert_eq!(end("never", "x"), Some(None));
        assert_eq!(end("30", ""), at("2026-04-01T14:05:00Z"));
        assert_eq!(end("day", "2026-03-02"), at("2026-03-03T00:00:00Z"));
        for (ends, day) in [("day", "2026-03-01"), ("day", ""), ("day", "tomorrow"), ("31", "")] {
            assert_eq!(end(ends, day), None, "{ends} {day}");
        }
    }

    #[test]
    fn networks_stand_one_a_line_and_the_line_that_is_none_is_told() {
        let networks = |text: &str| {
            let typed = Typed { networks: text.to_owned(), ..Typed::default() };
            typed
                .networks()
                .map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
                .map_err(str::to_owned)
        };
        let expected = ["192.0.2.0/24", "2001:db8::1/128"].map(str::to_owned);
        assert_eq!(networks("192.0.2.7/24\r\n\r\n 2001:db8::1 \n"), Ok(expected.into()));
        assert_eq!(networks("192.0.2.1\nthe office"), Err("the office".to_owned()));
    }
}
