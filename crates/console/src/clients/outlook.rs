//! Settings as Outlook, and others after it, ask for them: Autodiscover, the old one in XML (MS-OXDSCLI), and the new one in JSON, which points there.
//!
//! Whoever asks says an address, and gets it back as the name to log in by. Nothing else depends on it but for its domain.

use std::sync::Arc;

use askama::Template;
use axum::Json;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{StatusCode, Uri, uri};
use axum::response::{IntoResponse, Response};
use axum::routing::on;
use desk::ClientSettings;
use serde::Serialize;
use types::{IncomingServer, Mailbox};

use super::asked::{self, FOR_AN_HOUR};
use super::outlook_request::{self, NotAsked};
use crate::console::Console;
use crate::list::Query;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::visit::Visit;

const XML: &str = "/autodiscover/autodiscover.xml";
const JSON: &str = "/autodiscover/autodiscover.json";

pub(crate) const ROUTES: &[Route] = &[
    Route::post(XML, Right::Clients, |method| on(method, settings)),
    Route::get(JSON, Right::Clients, |method| on(method, pointer)),
    Route::get("/autodiscover/autodiscover.json/v1.0/{address}", Right::Clients, |method| {
        on(method, pointer_for)
    }),
];

/// The largest request, in octets. It holds an address and the name of a schema.
const REQUEST: usize = 8 * 1024;

/// Programs write the path in whatever case of letters; routes know one.
pub(crate) fn in_one_case(request: &mut Request) {
    let path = request.uri().path();
    let Some(known) = [XML, JSON].into_iter().find(|known| begins(path, known)) else { return };
    let rest = path.get(known.len()..).unwrap_or_default();
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri::Parts::from(request.uri().clone());
    parts.path_and_query = format!("{known}{rest}{query}").parse().ok();
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

/// Whether what is sent to this path comes from programs: they are no browsers, which say where a request comes from, they have no cookie, and
/// nothing is changed.
pub(crate) fn is_sent_by_programs(path: &str) -> bool {
    path.eq_ignore_ascii_case(XML)
}

fn begins(path: &str, known: &str) -> bool {
    path.get(..known.len()).is_some_and(|start| start.eq_ignore_ascii_case(known))
        && path.get(known.len()..).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[derive(Template)]
#[template(path = "clients/autodiscover.xml")]
struct Settings<'a> {
    organisation: &'a str,
    address: String,
    incoming: &'a IncomingServer,
    outgoing: Option<Outgoing<'a>>,
}

struct Outgoing<'a> {
    host: &'a str,
    port: u16,
    encryption: &'static str,
}

impl<'a> Outgoing<'a> {
    /// The first port that takes a password as it is. Programs are not told of mechanisms here, and use no other.
    fn of(settings: &'a ClientSettings) -> Option<Self> {
        let implicit = settings.implicit_tls.iter().map(|port| (port, "SSL"));
        let starttls = settings.starttls.iter().map(|port| (port, "TLS"));
        let (port, encryption) = implicit.chain(starttls).find(|(port, _)| port.takes_passwords())?;
        Some(Self { host: &settings.host, port: port.port, encryption })
    }
}

/// Why there are no settings, as programs understand it.
#[derive(Template)]
#[template(path = "clients/autodiscover_error.xml")]
struct Refusal {
    time: String,
    code: u16,
    message: &'static str,
}

async fn settings(
    State(console): State<Arc<Console>>,
    visit: Visit,
    request: Request,
) -> Result<Response, Problem> {
    let body = to_bytes(request.into_body(), REQUEST).await.map_err(|_| Problem::TooLarge)?;
    let desk = console.desk();
    let client_settings = desk.client_settings();
    if client_settings.discovery.is_none() {
        return Err(Problem::NotFound);
    }
    let address = match asked_address(&body) {
        Ok(address) => address,
        Err(not) => return refused(&not, &visit),
    };
    let (discovery, _) = asked::told(client_settings, &visit, address.host().domain().cloned())?;
    xml(&Settings {
        organisation: &console.settings.organisation,
        address: address.to_string(),
        incoming: &discovery.incoming,
        outgoing: Outgoing::of(client_settings),
    })
}

fn asked_address(body: &Bytes) -> Result<Mailbox, NotAsked> {
    let address = outlook_request::address(body)?;
    let mailbox = Mailbox::parse(&address).map_err(|_| NotAsked::Malformed)?;
    // What XML has no way to say (XML 1.0 section 2.2), no address needs.
    let is_text = |c: char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    if address.chars().all(is_text) { Ok(mailbox) } else { Err(NotAsked::Malformed) }
}

/// As MS-OXDSCLI section 2.2.4.1.1.1.1 has it: with status 200.
fn refused(not: &NotAsked, visit: &Visit) -> Result<Response, Problem> {
    let (code, message) = match not {
        NotAsked::Malformed => (600, "Invalid Request"),
        NotAsked::OtherSchema => (601, "Requested schema version not supported"),
    };
    xml(&Refusal { time: visit.now.strftime("%H:%M:%S").to_string(), code, message })
}

fn xml(template: &impl Template) -> Result<Response, Problem> {
    let text = template.render().map_err(|error| Problem::unavailable(&error))?;
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8")], text).into_response())
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pointer {
    protocol: &'static str,
    url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct NoPointer {
    error_code: &'static str,
    error_message: &'static str,
}

async fn pointer(console: State<Arc<Console>>, visit: Visit, query: Query) -> Result<Response, Problem> {
    let address = query.get("Email").map(str::to_owned);
    point(&console, &visit, &query, address.as_deref())
}

async fn pointer_for(
    console: State<Arc<Console>>,
    visit: Visit,
    query: Query,
    Path(address): Path<String>,
) -> Result<Response, Problem> {
    point(&console, &visit, &query, Some(&address))
}

/// Where the old protocol is found, which is the only one here. The link is made from the configuration, not from what was asked.
fn point(
    console: &Console,
    visit: &Visit,
    query: &Query,
    address: Option<&str>,
) -> Result<Response, Problem> {
    let desk = console.desk();
    asked::told(desk.client_settings(), visit, address.and_then(asked::domain_of))?;
    let protocol = query.get("Protocol").unwrap_or_default();
    if !protocol.eq_ignore_ascii_case("AutodiscoverV1") {
        let no = NoPointer {
            error_code: "InvalidProtocol",
            error_message: "The only protocol here is AutodiscoverV1.",
        };
        return Ok((StatusCode::BAD_REQUEST, Json(no)).into_response());
    }
    let url = console.settings.base_url.with_path(|_| XML.to_owned()).to_string();
    Ok(([(CACHE_CONTROL, FOR_AN_HOUR)], Json(Pointer { protocol: "AutodiscoverV1", url })).into_response())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use desk::SubmissionPort;
    use types::Mechanism;

    use super::*;

    #[test]
    fn a_port_that_takes_no_password_is_not_told() {
        let told = |implicit: Mechanism, starttls: Mechanism| {
            let port = |port, mechanism| Some(SubmissionPort { port, mechanisms: vec![mechanism] });
            let settings = ClientSettings {
                host: "mail.example.org".to_owned(),
                implicit_tls: port(465, implicit),
                starttls: port(587, starttls),
                discovery: None,
            };
            Outgoing::of(&settings).map(|outgoing| (outgoing.port, outgoing.encryption))
        };
        assert_eq!(told(Mechanism::Login, Mechanism::Plain), Some((465, "SSL")));
        assert_eq!(told(Mechanism::ScramSha256, Mechanism::Plain), Some((587, "TLS")));
        assert_eq!(told(Mechanism::External, Mechanism::XOAuth2), None);
    }

    #[test]
    fn the_path_is_read_in_whatever_case_and_the_rest_stays_as_it_is() {
        let of = |uri: &str| {
            let mut request = Request::builder().uri(uri).body(Body::empty()).unwrap();
            in_one_case(&mut request);
            request.uri().to_string()
        };
        for (asked, expected) in [
            ("/Autodiscover/Autodiscover.XML", "/autodiscover/autodiscover.xml"),
            (
                "https://a.test/AutoDiscover/autodiscover.xml?X=Y",
                "https://a.test/autodiscover/autodiscover.xml?X=Y",
            ),
            (
                "/Autodiscover/Autodiscover.json/v1.0/Ann@A.test?Protocol=P",
                "/autodiscover/autodiscover.json/v1.0/Ann@A.test?Protocol=P",
            ),
            ("/Autodiscover/Autodiscover.xmlx", "/Autodiscover/Autodiscover.xmlx"),
            ("/Account", "/Account"),
        ] {
            assert_eq!(of(asked), expected);
        }
        assert!(is_sent_by_programs("/AUTODISCOVER/autodiscover.xml") && !is_sent_by_programs("/sign-in"));
    }
}
