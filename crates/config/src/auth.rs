//! `[auth]`: how clients log in.

use serde::Deserialize;
use toml::Spanned;
use types::{Domain, DomainPattern, Mechanism};

use crate::argon2::{self, Argon2};
use crate::fault::Fault;
use crate::http::{self, Http};
use crate::network::Network;
use crate::relay::{self, Relay};
use crate::throttle::{self, Throttle};
use crate::value::{self, Base, Cap, Text};
use crate::word::{FromWord, Word};

/// How clients log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// What EHLO offers, in this order, where the listener does not say otherwise; never empty.
    pub mechanisms: Vec<Mechanism>,
    /// Who is asked about a login, in this order; never empty.
    pub backends: Vec<Backend>,
    /// The program that [`Backend::Http`] asks.
    pub http: Option<Http>,
    /// Mail that is taken without AUTH; `None` is none.
    pub relay: Option<Relay>,
    /// AUTH without TLS; for development only.
    pub allow_insecure: bool,
    /// The text after `530 5.7.0` to MAIL before AUTH.
    pub required_message: String,
    /// Commands before AUTH (AUTH itself not counted) until 421; `None` is no limit.
    pub max_unauthenticated_commands: Option<u32>,
    /// Failed AUTHs in a connection until 421.
    pub max_failures: u32,
    /// How many app passwords an account may have. Nobody has so many devices; a script gone wrong has.
    pub app_passwords_per_account: u32,
    /// Whether who has the right account password, but needs an app password, is told so.
    pub hint_app_password: bool,
    /// Completes names to log in with that have no domain.
    pub default_domain: Option<Domain>,
    /// What the hash of an account password costs.
    pub argon2: Argon2,
    /// Failures until a lock-out.
    pub throttle: Throttle,
}

impl Default for Auth {
    fn default() -> Auth {
        Auth {
            mechanisms: vec![Mechanism::Plain, Mechanism::Login],
            backends: vec![Backend::Accounts],
            http: None,
            relay: None,
            allow_insecure: false,
            required_message: "Authentication required".to_owned(),
            max_unauthenticated_commands: Some(10),
            max_failures: 3,
            app_passwords_per_account: 50,
            hint_app_password: true,
            default_domain: None,
            argon2: Argon2::default(),
            throttle: Throttle::default(),
        }
    }
}

/// Who is asked about a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// The accounts and app passwords of the store.
    Accounts,
    /// Providers of OAuth, for access tokens alone.
    OAuth,
    /// A program of one's own.
    Http,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    mechanisms: Option<Spanned<Vec<Spanned<Word<Mechanism>>>>>,
    backends: Option<Spanned<Vec<Spanned<Word<Backend>>>>>,
    allow_insecure: Option<bool>,
    optional: Option<Spanned<bool>>,
    relay_networks: Option<Spanned<Vec<Spanned<Network>>>>,
    relay_domains: Option<Spanned<Vec<Spanned<Word<DomainPattern>>>>>,
    relay_senders: Option<Spanned<Vec<Spanned<String>>>>,
    required_message: Option<Spanned<String>>,
    max_unauthenticated_commands: Option<Spanned<Cap>>,
    max_failures: Option<Spanned<i64>>,
    app_passwords_per_account: Option<Spanned<i64>>,
    hint_app_password: Option<bool>,
    default_domain: Option<Spanned<String>>,
    argon2: argon2::Written,
    throttle: throttle::Written,
    http: Option<Spanned<http::Written>>,
}

impl Written {
    /// `oauth` says whether there are providers.
    pub(crate) fn mean(self, base: &Base, oauth: bool) -> Result<Auth, Fault> {
        let default = Auth::default();
        let sections = Sections { oauth, http: self.http.is_some() };
        sections.serve(self.backends.as_ref())?;
        let relay = relay::Written {
            optional: self.optional,
            networks: self.relay_networks,
            domains: self.relay_domains,
            senders: self.relay_senders,
        };
        Ok(Auth {
            mechanisms: self.mechanisms.map_or(Ok(default.mechanisms), distinct)?,
            backends: self.backends.map_or(Ok(default.backends), distinct)?,
            http: http::mean(self.http, base)?,
            relay: relay.mean()?,
            allow_insecure: self.allow_insecure.unwrap_or(default.allow_insecure),
            required_message: reply_text(self.required_message, default.required_message)?,
            max_unauthenticated_commands: value::cap(
                self.max_unauthenticated_commands,
                default.max_unauthenticated_commands,
                1..=100_000,
            )?,
            max_failures: value::number(self.max_failures, default.max_failures, 1..=100)?,
            app_passwords_per_account: value::number(
                self.app_passwords_per_account,
                default.app_passwords_per_account,
                1..=100_000,
            )?,
            hint_app_password: self.hint_app_password.unwrap_or(default.hint_app_password),
            default_domain: domain(self.default_domain)?,
            argon2: self.argon2.mean()?,
            throttle: self.throttle.mean()?,
        })
    }
}

/// A domain; an empty text is none.
fn domain(written: Option<Spanned<String>>) -> Result<Option<Domain>, Fault> {
    let Some(written) = written.filter(|written| !written.get_ref().is_empty()) else { return Ok(None) };
    let domain = Domain::parse(written.get_ref()).map_err(|_| {
        let wrong = format!("\"{}\" is not a domain; write one such as \"example.org\"", written.get_ref());
        Fault::at(&written, wrong)
    });
    domain.map(Some)
}

/// Which sections there are that backends are described in.
struct Sections {
    oauth: bool,
    http: bool,
}

impl Sections {
    /// A backend that nothing is known of would stop every login.
    fn serve(&self, backends: Option<&Spanned<Vec<Spanned<Word<Backend>>>>>) -> Result<(), Fault> {
        for backend in backends.map(Spanned::get_ref).into_iter().flatten() {
            let (there, name, section) = match backend.get_ref().0 {
                Backend::Accounts => continue,
                Backend::OAuth => (self.oauth, "oauth", "[[oauth.provider]]"),
                Backend::Http => (self.http, "http", "[auth.http]"),
            };
            if !there {
                let wrong = format!(
                    "\"{name}\" is described in {section}, which is missing; write it, or leave \"{name}\" out"
                );
                return Err(Fault::at(backend, wrong));
            }
        }
        Ok(())
    }
}

/// A list that names something, and nothing twice.
pub(crate) fn distinct<T: Copy + PartialEq>(
    written: Spanned<Vec<Spanned<Word<T>>>>,
) -> Result<Vec<T>, Fault> {
    if written.get_ref().is_empty() {
        return Err(Fault::at(&written, "is empty; nobody could log in, so write at least one"));
    }
    let mut all = Vec::new();
    for one in written.into_inner() {
        let Word(value) = *one.get_ref();
        if all.contains(&value) {
            return Err(Fault::at(&one, "is written twice; write it once"));
        }
        all.push(value);
    }
    Ok(all)
}

/// Text for one reply line: RFC 5321 section 4.2 allows printable ASCII and spaces, 512 octets in all
/// (section 4.5.3.1.5), of which the codes take some.
fn reply_text(written: Option<Spanned<String>>, default: String) -> Result<String, Fault> {
    let Some(written) = written else { return Ok(default) };
    let text = written.get_ref();
    let printable = text.bytes().all(|octet| octet == b' ' || octet.is_ascii_graphic());
    if text.trim().is_empty() || text.len() > 400 || !printable {
        return Err(Fault::at(
            &written,
            "is not the text of a reply; write one line of 1 to 400 printable ASCII characters",
        ));
    }
    Ok(written.into_inner())
}

const BACKENDS: &str = "\"accounts\", \"oauth\" or \"http\"";

impl Backend {
    fn parse(name: &str) -> Result<Backend, String> {
        match name {
            "accounts" => Ok(Backend::Accounts),
            "oauth" => Ok(Backend::OAuth),
            "http" => Ok(Backend::Http),
            _ => Err(format!("\"{name}\" is not a backend; write {BACKENDS}")),
        }
    }
}

impl FromWord for Backend {
    fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Backend, D::Error> {
        deserializer.deserialize_str(Text { expecting: BACKENDS, parse: Backend::parse })
    }
}
