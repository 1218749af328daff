//! The domains that mail is sent as: what the DNS has to say of each, and what it says.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State as Shared};
use axum::response::Html;
use axum::routing::on;
use desk::view;
use desk::view::DnsVerdict;
use store::Page as ListPage;
use tokio::time::timeout;
use types::Domain;

use crate::console::Console;
use crate::frame::{Frame, page};
use crate::list::{Query, ROWS, is_full};
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::session::current::Current;
use crate::shown::state::State;
use crate::shown::strangers::plain;
use crate::shown::time::Time;
use crate::texts::Texts;
use crate::visit::Visit;

pub(crate) const PATH: &str = "/admin/domains";

pub(crate) const ROUTES: &[Route] = &[
    Route::get(PATH, Right::Admin, |method| on(method, list)),
    Route::get("/admin/domains/{domain}", Right::Admin, |method| on(method, show)),
];

/// How long the DNS has for all its answers, so that there is a page in any case.
const DNS: Duration = Duration::from_secs(20);

/// DKIM keys of a domain that are shown at most.
const KEYS: u32 = 100;

#[derive(Template)]
#[template(path = "admin/domains.html")]
struct ListOfDomains {
    frame: Frame,
    rows: Vec<view::MailDomain>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/domain.html")]
struct OneDomain {
    frame: Frame,
    domain: String,
    records: Vec<Record>,
    /// Whether the DNS was asked.
    is_checked: bool,
    /// Whether it did not answer in time.
    is_late: bool,
    keys: Vec<Key>,
    signed_by: Vec<String>,
}

/// A record that is wanted.
struct Record {
    purpose: &'static str,
    state: State,
    name: String,
    /// As a line of a zone file.
    line: String,
    found: Vec<String>,
    error: Option<String>,
}

/// A DKIM key of this very domain.
struct Key {
    selector: String,
    algorithm: &'static str,
    state: State,
    made: Time,
    record_until: Option<Time>,
    can_sign: bool,
    signs: bool,
}

async fn list(
    Shared(console): Shared<Arc<Console>>,
    visit: Visit,
    current: Current,
    query: Query,
) -> Result<Html<String>, Problem> {
    let after = query.after(|text| Some(text.to_owned()))?;
    let found = console.desk().domains(ListPage { after, limit: ROWS }).await?;
    let next = found.last.filter(|_| is_full(found.items.len())).map(|last| query.next(PATH, &last));
    let frame = Frame::of_administration(&console, &visit, &current, PATH);
    page(&ListOfDomains { frame, rows: found.items, next })
}

async fn show(
    Shared(console): Shared<Arc<Console>>,
    visit: Visit,
    current: Current,
    Path(domain): Path<String>,
    query: Query,
) -> Result<Html<String>, Problem> {
    let (domain, found) = of_path(&console, &domain).await?;
    let is_checked = query.get("check").is_some();
    let (records, is_late) = records(&console, &domain, is_checked).await?;
    let keys = console.desk().dkim_keys(Some(&domain), ListPage::first(KEYS)).await?.items;
    page(&OneDomain {
        frame: Frame::of_administration(&console, &visit, &current, PATH),
        domain: found.domain,
        records: records.iter().map(|record| Record::of(record, visit.texts)).collect(),
        is_checked,
        is_late,
        keys: keys.iter().map(|key| Key::of(key, &visit)).collect(),
        signed_by: found.signed_by,
    })
}

/// The domain of this path, which has to be one that mail is sent as, or that has keys.
///
/// # Errors
/// [`Problem::NotFound`] if it is none.
pub(crate) async fn of_path(console: &Console, text: &str) -> Result<(Domain, view::MailDomain), Problem> {
    let domain = Domain::parse(text).map_err(|_| Problem::NotFound)?;
    let found = console.desk().find_domain(&domain).await?.ok_or(Problem::NotFound)?;
    Ok((domain, found))
}

/// What is wanted, and what the DNS has of it if it is to be asked; whether it did not answer in time.
async fn records(
    console: &Console,
    domain: &Domain,
    ask: bool,
) -> Result<(Vec<view::WantedRecord>, bool), Problem> {
    let desk = console.desk();
    let wanted = desk.dns_records(domain).await?;
    if !ask {
        return Ok((wanted, false));
    }
    match timeout(DNS, desk.checked_dns_records(domain, &console.watched.resolver)).await {
        Ok(checked) => Ok((checked?, false)),
        Err(_) => Ok((wanted, true)),
    }
}

impl Record {
    fn of(wanted: &view::WantedRecord, t: Texts) -> Self {
        Self {
            purpose: wanted.purpose,
            state: of_verdict(wanted.verdict, t),
            name: wanted.record.name.clone(),
            line: wanted.record.to_string(),
            found: wanted.found.iter().flatten().map(|found| plain(found)).collect(),
            error: wanted.error.as_deref().map(plain),
        }
    }
}

/// What is not known is told in grey: it is no fault of the domain.
fn of_verdict(verdict: Option<DnsVerdict>, t: Texts) -> State {
    let (class, icon, words) = match verdict {
        Some(DnsVerdict::Ok) => ("good", "ok", t.record_is_there()),
        Some(DnsVerdict::Missing) => ("bad", "no", t.record_is_missing()),
        Some(DnsVerdict::Differs) => ("wait", "warn", t.record_differs()),
        Some(DnsVerdict::Unclear) => ("info", "globe", t.record_is_unclear()),
        Some(DnsVerdict::Unknown) => ("", "clock", t.no_answer()),
        None => ("", "clock", t.not_asked_yet()),
    };
    State { class, icon, words }
}

impl Key {
    fn of(key: &view::DkimKey, visit: &Visit) -> Self {
        let (t, time) = (visit.texts, |at| Time::of(at, visit.now, visit.texts));
        let (signs, is_retired) = (key.state == "active", key.state == "retired");
        let (class, icon, words) = match (signs, is_retired) {
            (true, _) => ("good", "ok", t.key_signs()),
            (_, true) => ("", "no", t.key_is_retired()),
            (false, false) => ("info", "clock", t.key_waits()),
        };
        Self {
            selector: key.selector.clone(),
            algorithm: key.algorithm,
            state: State { class, icon, words },
            made: time(key.created_at),
            record_until: key.record_until.map(time),
            // A retired one may have lost its record, or its private half: that is for the command line.
            can_sign: !signs && !is_retired,
            signs,
        }
    }
}
