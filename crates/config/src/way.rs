//! A way for mail to leave: where it goes, and how. `[delivery]` says one, and each route its own.

use std::path::PathBuf;

use toml::Spanned;
use types::HostTls;

use crate::fault::Fault;
use crate::retry::{self, Retry};
use crate::value::{self, Base};
use crate::via::Via;
use crate::word::Word;

/// Where mail goes, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Where it goes.
    pub via: Via,
    /// How the certificate of a fixed host is taken.
    pub tls: HostTls,
    /// PEM: CAs that are trusted for a fixed host, besides the system's.
    pub tls_ca: Option<PathBuf>,
    /// How to log in at a fixed host. A route never has that of `[delivery]`: another host has no business with it.
    pub login: Option<Login>,
    /// Messages sent at once to one destination.
    pub connections: u32,
    /// When to try again.
    pub retry: Retry,
}

/// How to log in at a fixed host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The account there.
    pub username: String,
    /// A file whose first line is the password.
    pub password_file: PathBuf,
}

/// What a way has unless it is written.
#[derive(Clone, Copy)]
pub(crate) struct Common<'a> {
    pub(crate) tls: Option<&'a Spanned<Word<HostTls>>>,
    pub(crate) tls_ca: Option<&'a PathBuf>,
    pub(crate) connections: u32,
    pub(crate) retry: Retry,
}

impl Default for Common<'_> {
    fn default() -> Self {
        Common { tls: None, tls_ca: None, connections: 20, retry: Retry::default() }
    }
}

/// A way as it is written, but for its `via`.
pub(crate) struct Written {
    pub(crate) tls: Option<Spanned<Word<HostTls>>>,
    pub(crate) tls_ca: Option<Spanned<String>>,
    pub(crate) username: Option<Spanned<String>>,
    pub(crate) password_file: Option<Spanned<String>>,
    pub(crate) connections: Option<Spanned<i64>>,
    pub(crate) retry: retry::Written,
}

/// As many as there are attempts at once to all destinations.
const MOST_CONNECTIONS: u32 = 200;

impl Written {
    pub(crate) fn mean(self, via: Via, common: Common<'_>, base: &Base) -> Result<Way, Fault> {
        let tls = self.tls.as_ref().or(common.tls);
        if let Some(tls) = tls.filter(|tls| tls.get_ref().0 == HostTls::Off && matches!(via, Via::Smtps(_))) {
            return Err(Fault::at(
                tls,
                "smtps:// is TLS from the first octet; write \"verify\", or smtp:// for a host without TLS",
            ));
        }
        let tls_ca = self.tls_ca.map(|path| base.path(&path)).transpose()?;
        Ok(Way {
            login: login(self.username, self.password_file, &via, tls, base)?,
            tls: tls.map_or(HostTls::Verify, |tls| tls.get_ref().0),
            tls_ca: tls_ca.or(common.tls_ca.cloned()),
            connections: value::number(self.connections, common.connections, 1..=MOST_CONNECTIONS)?,
            retry: self.retry.mean(common.retry)?,
            via,
        })
    }
}

fn login(
    username: Option<Spanned<String>>,
    password_file: Option<Spanned<String>>,
    via: &Via,
    tls: Option<&Spanned<Word<HostTls>>>,
    base: &Base,
) -> Result<Option<Login>, Fault> {
    let (username, password_file) = match (username, password_file) {
        (None, None) => return Ok(None),
        (Some(username), Some(password_file)) => (username, password_file),
        (Some(username), None) => {
            return Err(Fault::at(&username, "has no password; write password_file beside it"));
        }
        (None, Some(file)) => return Err(Fault::at(&file, "has no username; write username beside it")),
    };
    if !via.is_host() {
        return Err(Fault::at(
            &username,
            "is for a host; write via = \"smtp://host:port\" or \"smtps://host:port\"",
        ));
    }
    if let Some(tls) = tls.filter(|tls| !keeps_the_password(tls.get_ref().0, via)) {
        return Err(Fault::at(
            tls,
            "would show the password to anyone on the way; with username write \"verify\", and tls_ca for a private CA; \"off\" is \
             for loopback addresses alone",
        ));
    }
    if username.get_ref().is_empty() || username.get_ref().contains(char::is_control) {
        return Err(Fault::at(&username, "is not a user name; write the name the host knows"));
    }
    Ok(Some(Login { password_file: base.path(&password_file)?, username: username.into_inner() }))
}

/// A password goes only to a host that has proved its name, or to this machine: there may be the end of a tunnel, such as stunnel's
/// or ssh's, which verifies.
fn keeps_the_password(tls: HostTls, via: &Via) -> bool {
    match tls {
        HostTls::Verify => true,
        HostTls::Opportunistic => false,
        HostTls::Off => via.is_loopback(),
    }
}
