//! The configuration file: as written, then as meant.
//!
//! Each section has a file with two types: `Written` is what TOML holds, with where it stands; the public
//! type is what it means, with every default filled in and every value within its range. Paths are
//! resolved against the file's directory but nothing they name is opened here.

mod duration;
mod fault;
mod health;
mod hostname;
mod network;
mod place;
mod value;
mod word;
mod endpoint;

mod storage;
mod tls;

mod listen;

mod auth;
mod argon2;
mod http;
mod relay;
mod throttle;

mod oauth;

mod limits;

mod submission;

mod sending;

mod via;
mod retry;
mod way;

mod delivery;
mod route;
mod mx;

mod dkim;

mod dns;
mod tls_rpt;

mod audit;
mod ledger;

mod log;

mod web;
mod web_clients;

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use types::Mechanism;

pub use argon2::Argon2;
pub use audit::Audit;
pub use auth::{Auth, Backend};
pub use delivery::{Delivery, WayKeys};
pub use dkim::Dkim;
pub use dns::Dns;
pub use duration::duration;
pub use fault::ConfigError;
pub use health::Health;
pub use http::Http;
pub use ledger::Ledger;
pub use limits::Limits;
pub use listen::Listen;
pub use log::{Format, Level, Log};
pub use mx::Mx;
pub use oauth::{OAuthProof, OAuthProvider};
pub use place::{place_of, place_of_path};
pub use relay::Relay;
pub use retry::Retry;
pub use route::Route;
pub use sending::Sending;
pub use storage::Storage;
pub use submission::Submission;
pub use throttle::{Allowance, Throttle};
pub use tls::Tls;
pub use tls_rpt::TlsRpt;
pub use via::{HostPort, Via};
pub use way::{Login, Way};
pub use web::{DEVICE_LINK, TOKEN_MAX, Web, WebListen, WebSessions};
pub use web_clients::WebClients;

use fault::Fault;
use value::Base;

/// What the configuration file means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The name in the greeting, in `Received:` and in the EHLO of outgoing mail.
    pub hostname: String,
    /// Where accounts and the queue are kept.
    pub storage: Storage,
    /// The certificate; `None` only if no listener speaks TLS.
    pub tls: Option<Tls>,
    /// Where to listen; never empty.
    pub listen: Vec<Listen>,
    /// How clients log in.
    pub auth: Auth,
    /// Whose access tokens are taken.
    pub oauth: Vec<OAuthProvider>,
    /// What one client may take of the server.
    pub limits: Limits,
    /// What happens to a message as it comes in.
    pub submission: Submission,
    /// How much an account may send.
    pub sending: Sending,
    /// Where accepted mail goes.
    pub delivery: Delivery,
    /// Whether mail is signed as it leaves.
    pub dkim: Dkim,
    /// Which name servers are asked.
    pub dns: Dns,
    /// Whether other domains hear how TLS went with their mail hosts.
    pub tls_rpt: TlsRpt,
    /// How long is remembered what happened.
    pub audit: Audit,
    /// The ledger of what was sent.
    pub ledger: Ledger,
    /// What the server looks at beside itself.
    pub health: Health,
    /// How the server tells what it does.
    pub log: Log,
    /// The pages for users; `None` if it isn't said where they are.
    pub web: Option<Web>,
}

impl Config {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// If the file cannot be read, is not TOML, or says something that is not understood or not allowed.
    /// The error prints as one line: `FILE:LINE:COLUMN: KEY: what is wrong; what would be right`.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::unreadable(path, source))?;
        Config::parse(&text, path)
    }

    /// The mechanisms that this listener offers, in this order.
    pub fn mechanisms<'a>(&'a self, listen: &'a Listen) -> &'a [Mechanism] {
        listen.mechanisms.as_deref().unwrap_or(&self.auth.mechanisms)
    }

    /// Whether any listener offers this mechanism.
    pub fn offers(&self, mechanism: Mechanism) -> bool {
        self.listen.iter().any(|listen| self.mechanisms(listen).contains(&mechanism))
    }

    /// Whether any listener offers SCRAM, with channel binding or without.
    pub fn offers_scram(&self) -> bool {
        self.offers(Mechanism::ScramSha256) || self.offers(Mechanism::ScramSha256Plus)
    }

    /// Reads `text` as if it stood in the file at `path`, which is not opened.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
        Fault::of_toml(toml::from_str::<Written>(text), text)
            .and_then(|written| written.mean(&Base::of(path)))
            .map_err(|fault| fault.in_file(path, text))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    hostname: Option<Spanned<String>>,
    storage: Option<Spanned<storage::Written>>,
    tls: Option<Spanned<tls::Written>>,
    listen: Option<Spanned<Vec<Spanned<listen::Written>>>>,
    #[serde(default)]
    auth: auth::Written,
    #[serde(default)]
    oauth: oauth::Section,
    #[serde(default)]
    limits: limits::Written,
    #[serde(default)]
    submission: submission::Written,
    #[serde(default)]
    sending: sending::Written,
    #[serde(default)]
    delivery: delivery::Written,
    #[serde(default)]
    dkim: dkim::Written,
    #[serde(default)]
    dns: dns::Written,
    #[serde(default)]
    tls_rpt: tls_rpt::Written,
    #[serde(default)]
    audit: audit::Written,
    #[serde(default)]
    ledger: ledger::Written,
    #[serde(default)]
    health: health::Written,
    #[serde(default)]
    log: log::Written,
    #[serde(default)]
    web: web::Written,
}

impl Written {
    fn mean(self, base: &Base) -> Result<Config, Fault> {
        let listen = listen::mean(self.listen)?;
        let oauth = self.oauth.mean(base)?;
        let web = self.web.mean(&listen)?;
        let web_needs_tls = web.iter().flat_map(|web| &web.listen).any(|listen| listen.tls);
        Ok(Config {
            hostname: hostname::mean(self.hostname)?,
            storage: storage::mean(self.storage, base)?,
            tls: tls::mean(self.tls, base, &listen, web_needs_tls)?,
            listen,
            auth: self.auth.mean(base, !oauth.is_empty())?,
            oauth,
            limits: self.limits.mean()?,
            submission: self.submission.mean()?,
            sending: self.sending.mean()?,
            delivery: self.delivery.mean(base)?,
            dkim: self.dkim.mean(),
            dns: self.dns.mean(base)?,
            tls_rpt: self.tls_rpt.mean(),
            audit: self.audit.mean()?,
            ledger: self.ledger.mean()?,
            health: self.health.mean(base)?,
            log: self.log.mean(),
            web,
        })
    }
}

/// The directory that relative paths start from when the file is at `path`.
fn directory_of(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.parent().map(Path::to_owned).unwrap_or_default()
}
