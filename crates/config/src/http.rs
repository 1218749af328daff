//! `[auth.http]`: a program of one's own that judges logins, asked over HTTP.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use types::Endpoint;

use crate::endpoint;
use crate::fault::Fault;
use crate::value::{self, Base, Time};

/// A program of one's own that judges logins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Http {
    /// Where each claim is posted to: https, or http to this machine.
    pub url: Endpoint,
    /// A file whose first line is what proves to the program that it is us who asks.
    pub secret_file: PathBuf,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How many may be asked about at once.
    pub concurrency: u32,
    /// PEM: CAs that are trusted for it, besides the system's.
    pub tls_ca: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    url: Option<Spanned<String>>,
    secret_file: Option<Spanned<String>>,
    timeout: Option<Spanned<Time>>,
    concurrency: Option<Spanned<i64>>,
    tls_ca: Option<Spanned<String>>,
}

pub(crate) fn mean(written: Option<Spanned<Written>>, base: &Base) -> Result<Option<Http>, Fault> {
    let Some(section) = written else { return Ok(None) };
    let at = section.span().start;
    let Written { url, secret_file, timeout, concurrency, tls_ca } = section.into_inner();
    let right = "write \"https://host/path\", where claims are posted to";
    let url = url.ok_or_else(|| Fault::missing(Some(at), "auth.http.url", right))?;
    let right = "write the path of a file with a secret of your own; `openssl rand -hex 32` makes one";
    let (second, minute) = (Duration::from_secs(1), Duration::from_secs(60));
    Ok(Some(Http {
        url: endpoint::address(&url)?,
        secret_file: base.required(secret_file, at, "auth.http.secret_file", right)?,
        timeout: value::time(timeout, Duration::from_secs(5), second..=minute)?,
        concurrency: value::number(concurrency, 32, 1..=10_000)?,
        tls_ca: tls_ca.map(|path| base.path(&path)).transpose()?,
    }))
}
