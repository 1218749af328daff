//! `[tls]`: the certificate that listeners show.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::listen::{Listen, ListenTls};
use crate::value::Base;

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

/// A version of TLS; older ones are not spoken at all (RFC 8996).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub enum TlsVersion {
    /// TLS 1.2, RFC 5246.
    #[default]
    #[serde(rename = "1.2")]
    V1_2,
    /// TLS 1.3, RFC 8446.
    #[serde(rename = "1.3")]
    V1_3,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    certificate: Option<Spanned<String>>,
    private_key: Option<Spanned<String>>,
    min_version: TlsVersion,
}

pub(crate) fn mean(
    written: Option<Spanned<Written>>,
    base: &Base,
    listen: &[Listen],
) -> Result<Option<Tls>, Fault> {
    let Some(section) = written else {
        let needed = listen.iter().any(|listen| listen.tls != ListenTls::Off);
        let right = "write a [tls] section with certificate and private_key";
        return if needed { Err(Fault::missing(None, "tls", right)) } else { Ok(None) };
    };
    let at = section.span().start;
    let Written { certificate, private_key, min_version } = section.into_inner();
    let right = "write the path of a PEM file";
    Ok(Some(Tls {
        certificate: base.required(certificate, at, "tls.certificate", right)?,
        private_key: base.required(private_key, at, "tls.private_key", right)?,
        min_version,
    }))
}
