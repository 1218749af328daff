//! `[web]` and `[[web.listen]]`: the pages, and where browsers find them.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;
use types::{Endpoint, ListenTls, SecondFactorRule, WebPart};

use crate::endpoint;
use crate::fault::Fault;
use crate::listen::Listen;
use crate::network::{self, Network};
use crate::value::{self, Time};
use crate::web_clients::{self, WebClients};
use crate::word::Word;

/// The pages for users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Web {
    /// The address of the pages from outside: scheme, host, and port if it is not the usual one.
    pub base_url: Endpoint,
    /// Whose server it is, in the titles of pages.
    pub organisation: String,
    /// Where somebody turns who can't get in: an address of mail, a telephone number, or a page.
    pub help: Option<String>,
    /// Whether everybody needs a second factor.
    pub second_factor: SecondFactorRule,
    /// Whether an administrator without a second factor sees the pages of their own account alone.
    pub admin_needs_second_factor: bool,
    /// How long an API token may last.
    pub token_max: Duration,
    /// How long a link is good that gives a device an app password.
    pub device_link: Duration,
    /// Private networks that webhooks may be in.
    pub webhook_networks: Vec<IpNet>,
    /// Pages that clients of one network may ask for in a minute.
    pub page_rate: u32,
    /// Requests that a token of the API may make in a minute.
    pub api_rate: u32,
    /// How long a session lasts without use, and in all.
    pub sessions: WebSessions,
    /// Where browsers connect. Empty: nothing is served.
    pub listen: Vec<WebListen>,
    /// What mail programs find by themselves, if they are to find anything.
    pub clients: Option<WebClients>,
}

/// How long sessions of browsers last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSessions {
    /// Without use.
    pub idle: Duration,
    /// In all.
    pub max: Duration,
}

impl Default for WebSessions {
    fn default() -> Self {
        Self { idle: Duration::from_secs(30 * 60), max: Duration::from_secs(12 * 60 * 60) }
    }
}

/// One address that browsers connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebListen {
    /// Port 0 means any free port.
    pub address: SocketAddr,
    /// TLS from the first octet; if not, the address is one of this machine, or proxies alone connect to it.
    pub tls: bool,
    /// What is served here.
    pub serve: Vec<WebPart>,
    /// Proxies whose word is taken for who their client is.
    pub trusted_proxies: Vec<IpNet>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    base_url: Option<Spanned<String>>,
    organisation: Option<Spanned<String>>,
    help: Option<Spanned<String>>,
    second_factor: Option<Word<SecondFactorRule>>,
    admin_needs_second_factor: Option<bool>,
    token_max: Option<Spanned<Time>>,
    device_link: Option<Spanned<Time>>,
    webhook_networks: Vec<Spanned<Network>>,
    page_rate: Option<Spanned<i64>>,
    clients: Option<Spanned<web_clients::Written>>,
    api_rate: Option<Spanned<i64>>,
    session_idle: Option<Spanned<Time>>,
    session_max: Option<Spanned<Time>>,
    listen: Vec<Spanned<WrittenListen>>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenListen {
    address: Option<Spanned<String>>,
    tls: Option<Word<ListenTls>>,
    serve: Option<Vec<Word<WebPart>>>,
    trusted_proxies: Option<Vec<Spanned<Network>>>,
}

const RIGHT_URL: &str =
    "write the address of the pages as browsers have it, such as \"https://mail.example.org\"";
const RIGHT_ADDRESS: &str = "write IP:PORT, such as \"[::]:443\" or \"127.0.0.1:2580\"";
const RIGHT_TLS: &str = "write \"implicit\", or \"off\" on a loopback address or behind trusted_proxies";
const RIGHT_NAME: &str = "write 1 to 60 characters, such as \"Example Org\"";

/// Pages that clients of one network may ask for in a minute, if nothing else is said.
const PAGE_RATE: u32 = 120;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long an API token may last, if nothing else is said.
pub const TOKEN_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long a link is good that gives a device an app password, if nothing else is said: to take up the phone and scan it.
pub const DEVICE_LINK: Duration = Duration::from_secs(10 * 60);
const DEVICE_LINK_LEAST: Duration = Duration::from_secs(60);
const DEVICE_LINK_MOST: Duration = Duration::from_secs(60 * 60);

/// Requests that a token of the API may make in a minute, if nothing else is said.
const API_RATE: u32 = 600;

impl Written {
    /// What the section means beside these listeners for mail; `None` if it does not say where the pages are.
    pub(crate) fn mean(self, mail: &[Listen]) -> Result<Option<Web>, Fault> {
        let first = self.listen.first().map(|listen| listen.span().start);
        let listen = listeners(self.listen, mail)?;
        let help = self.help.map(help).transpose()?;
        let page_rate = value::number(self.page_rate, PAGE_RATE, 10..=100_000)?;
        let device_link = value::time(self.device_link, DEVICE_LINK, DEVICE_LINK_LEAST..=DEVICE_LINK_MOST)?;
        let second_factor = self.second_factor.map_or(SecondFactorRule::Optional, |Word(rule)| rule);
        let api_rate = value::number(self.api_rate, API_RATE, 10..=100_000)?;
        let sessions = sessions(self.session_idle, self.session_max)?;
        let admin_needs_second_factor = self.admin_needs_second_factor.unwrap_or(true);
        let token_max = value::time(self.token_max, TOKEN_MAX, HOUR..=DAY * 3650)?;
        let webhook_networks = self.webhook_networks.into_iter().map(network::of_trusted);
        let webhook_networks = webhook_networks.collect::<Result<_, _>>()?;
        let organisation = self.organisation.map(organisation).transpose()?;
        let clients = self.clients.map(web_clients::mean).transpose()?;
        let Some(written) = self.base_url else {
            return match first {
                Some(at) => Err(Fault::missing(Some(at), "web.base_url", RIGHT_URL)),
                None => Ok(None),
            };
        };
        let base_url = base_url(&written)?;
        let organisation = organisation.unwrap_or_else(|| base_url.host().to_owned());
        Ok(Some(Web {
            base_url,
            organisation,
            help,
            second_factor,
            admin_needs_second_factor,
            device_link,
            token_max,
            webhook_networks,
            page_rate,
            api_rate,
            sessions,
            listen,
            clients,
        }))
    }
}

fn sessions(idle: Option<Spanned<Time>>, max: Option<Spanned<Time>>) -> Result<WebSessions, Fault> {
    let default = WebSessions::default();
    let (minute, week) = (Duration::from_secs(60), Duration::from_secs(7 * 24 * 60 * 60));
    let max = value::time(max, default.max, minute..=week)?;
    Ok(WebSessions { idle: value::time(idle, default.idle.min(max), minute..=max)?, max })
}

fn base_url(written: &Spanned<String>) -> Result<Endpoint, Fault> {
    let url = endpoint::address(written)?;
    match url.is_origin() {
        true => Ok(url),
        false => Err(Fault::at(written, format!("has a path; {RIGHT_URL}"))),
    }
}

fn organisation(written: Spanned<String>) -> Result<String, Fault> {
    let name = written.get_ref();
    match (1..=60).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        true => Ok(written.into_inner()),
        false => {
            Err(Fault::at(&written, format!("is too long, empty, or has control characters; {RIGHT_NAME}")))
        }
    }
}

fn help(written: Spanned<String>) -> Result<String, Fault> {
    let is_link = ["mailto:", "tel:", "https://"]
        .iter()
        .any(|scheme| written.get_ref().strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()));
    match is_link && written.get_ref().chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(written.into_inner()),
        false => Err(Fault::at(
            &written,
            "is no link; write \"mailto:help@example.org\", \"tel:+49…\" or \"https://…\"",
        )),
    }
}

fn listeners(written: Vec<Spanned<WrittenListen>>, mail: &[Listen]) -> Result<Vec<WebListen>, Fault> {
    let mut listeners: Vec<WebListen> = Vec::new();
    for section in written {
        let at = section.span().start;
        let (address, listen) = section.into_inner().mean(at)?;
        let others =
            mail.iter().map(|other| other.address).chain(listeners.iter().map(|other| other.address));
        if listen.address.port() != 0 && others.into_iter().any(|other| other == listen.address) {
            return Err(Fault::at(
                &address,
                format!("{} is written twice; each listener needs its own address", listen.address),
            ));
        }
        listeners.push(listen);
    }
    Ok(listeners)
}

impl WrittenListen {
    fn mean(self, at: usize) -> Result<(Spanned<String>, WebListen), Fault> {
        let written =
            self.address.ok_or_else(|| Fault::missing(Some(at), "web.listen.address", RIGHT_ADDRESS))?;
        let address: SocketAddr = written.get_ref().parse().map_err(|_| {
            Fault::at(&written, format!("\"{}\" is not an address; {RIGHT_ADDRESS}", written.get_ref()))
        })?;
        let trusted = self.trusted_proxies.unwrap_or_default().into_iter().map(network::of_trusted);
        let trusted_proxies = trusted.collect::<Result<Vec<_>, _>>()?;
        let Word(tls) = self.tls.ok_or_else(|| Fault::missing(Some(at), "web.listen.tls", RIGHT_TLS))?;
        let tls = match tls {
            ListenTls::Implicit => true,
            ListenTls::Off if address.ip().to_canonical().is_loopback() || !trusted_proxies.is_empty() => {
                false
            }
            ListenTls::Off => {
                return Err(Fault::at(
                    &written,
                    "would show passwords to anyone on the way; write tls = \"implicit\", a loopback address, or the \
                     trusted_proxies that alone may connect",
                ));
            }
            ListenTls::StartTls => {
                return Err(Fault::at(
                    &written,
                    format!("has tls = \"starttls\", which HTTP has not; {RIGHT_TLS}"),
                ));
            }
        };
        let is_loopback = address.ip().to_canonical().is_loopback();
        let serve: Vec<_> = match self.serve {
            Some(parts) => parts.into_iter().map(|Word(part)| part).collect(),
            None if is_loopback => WebPart::ALL.into(),
            None => vec![WebPart::Account, WebPart::Clients],
        };
        Ok((written, WebListen { address, tls, serve, trusted_proxies }))
    }
}
