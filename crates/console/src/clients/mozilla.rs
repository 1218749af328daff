//! Settings as Thunderbird and many others read them (draft-ietf-mailmaint-autoconfig).
//!
//! There are placeholders where an address would be, so that the file is the same whoever asks.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use axum::routing::on;
use desk::SubmissionPort;
use types::{IncomingServer, Mechanism};

use super::asked::{self, FOR_AN_HOUR};
use crate::console::Console;
use crate::list::Query;
use crate::problem::Problem;
use crate::right::{Right, Route};
use crate::visit::Visit;

/// The path at a host of the domain itself, and of the pages.
const WELL_KNOWN: &str = "/.well-known/autoconfig/mail/config-v1.1.xml";

pub(crate) const ROUTES: &[Route] = &[
    Route::get("/mail/config-v1.1.xml", Right::Clients, |method| on(method, show)),
    Route::get(WELL_KNOWN, Right::Clients, |method| on(method, show)),
];

/// The longest name that is shown of a provider, and the longest short one, in characters.
const NAME: usize = 60;
const SHORT_NAME: usize = 20;

#[derive(Template)]
#[template(path = "clients/autoconfig.xml")]
struct Autoconfig<'a> {
    domain: &'a str,
    name: String,
    short_name: String,
    incoming: &'a IncomingServer,
    outgoing: Vec<Outgoing<'a>>,
    set_up: String,
}

struct Outgoing<'a> {
    host: &'a str,
    port: u16,
    socket_type: &'static str,
    /// Mechanisms by their own names.
    sasl: Vec<&'static str>,
    /// What most programs know of authentication.
    known: Option<&'static str>,
}

async fn show(State(console): State<Arc<Console>>, visit: Visit, query: Query) -> Result<Response, Problem> {
    let (desk, asked) = (console.desk(), query.get("emailaddress").and_then(asked::domain_of));
    let settings = desk.client_settings();
    let (discovery, domain) = asked::told(settings, &visit, asked)?;
    let organisation = &console.settings.organisation;
    let outgoing = |(port, socket_type)| Outgoing::of(&settings.host, port, socket_type);
    let ports = settings.implicit_tls.iter().map(|port| (port, "SSL"));
    let file = Autoconfig {
        domain,
        name: cut(&format!("{organisation} mail"), NAME),
        short_name: cut(organisation, SHORT_NAME),
        incoming: &discovery.incoming,
        outgoing: ports
            .chain(settings.starttls.iter().map(|port| (port, "STARTTLS")))
            .map(outgoing)
            .filter(Outgoing::is_usable)
            .collect(),
        set_up: console.settings.base_url.with_path(|_| "/set-up".to_owned()).to_string(),
    };
    let file = file.render().map_err(|error| Problem::unavailable(&error))?;
    Ok(([(CONTENT_TYPE, "text/xml; charset=utf-8"), (CACHE_CONTROL, FOR_AN_HOUR)], file).into_response())
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

impl<'a> Outgoing<'a> {
    fn of(host: &'a str, port: &SubmissionPort, socket_type: &'static str) -> Self {
        let has = |mechanism: &Mechanism| port.mechanisms.contains(mechanism);
        let scram = [Mechanism::ScramSha256Plus, Mechanism::ScramSha256];
        let known = match (port.takes_passwords(), has(&Mechanism::CramMd5)) {
            (true, _) => Some("password-cleartext"),
            // Beside others it is not named: programs would prefer it, and only app passwords made for it can answer.
            (false, true) => Some("password-encrypted"),
            (false, false) => None,
        };
        let sasl = scram.into_iter().filter(has).map(Mechanism::name).collect();
        Self { host, port: port.port, socket_type, sasl, known }
    }

    /// Whether there is a way to log in there that programs are told of.
    fn is_usable(&self) -> bool {
        self.known.is_some() || !self.sasl.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_without_a_way_to_log_in_is_not_told() {
        let is_told =
            |mechanisms| Outgoing::of("h", &SubmissionPort { port: 465, mechanisms }, "SSL").is_usable();
        assert!(is_told(vec![Mechanism::Plain]) && is_told(vec![Mechanism::ScramSha256]));
        assert!(!is_told(Vec::new()));
    }
}
