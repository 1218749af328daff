//! `[tls]`: the certificate that listeners show.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;
use types::{ListenTls, TlsVersion};

use crate::fault::Fault;
use crate::listen::Listen;
use crate::value::Base;
use crate::word::Word;

/// The certificate that listeners show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// PEM: the server's certificate, then those that lead to its CA.
    pub certificate: PathBuf,
    /// PEM: the key of the first certificate.
    pub private_key: PathBuf,
    /// Nothing older is spoken.
    pub min_version: TlsVersion,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    certificate: Option<Spanned<String>>,
    private_key: Option<Spanned<String>>,
    min_version: Option<Word<TlsVersion>>,
}

pub(crate) fn mean(
    written: Option<Spanned<Written>>,
    base: &Base,
    listen: &[Listen],
    web_needs_it: bool,
) -> Result<Option<Tls>, Fault> {
    let Some(section) = written else {
        let needed = web_needs_it || listen.iter().any(|listen| listen.tls != ListenTls::Off);
        let right = "write a [tls] section with certificate and private_key";
        return if needed { Err(Fault::missing(None, "tls", right)) } else { Ok(None) };
    };
    let at = section.span().start;
    let Written { certificate, private_key, min_version } = section.into_inner();
    let right = "write the path of a PEM file";
    Ok(Some(Tls {
        certificate: base.required(certificate, at, "tls.certificate", right)?,
        private_key: base.required(private_key, at, "tls.private_key", right)?,
        min_version: min_version.map(|Word(version)| version).unwrap_or_default(),
    }))
}
