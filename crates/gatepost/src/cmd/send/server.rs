//! The server that takes the mail. It is spoken to over TLS, and with a certificate for its name, or not at all.

use std::path::PathBuf;

use clap::ValueEnum;
use delivery::NextHost;
use esmtp::dialogue::{Credentials, Protocol};
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use submission::tls::pem;
use types::{HostTls, Secret};

/// When TLS begins. There is no third choice: nothing is ever sent in the clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Tls {
    /// With the first octet, as on port 465
    Implicit,
    /// By the STARTTLS command, as on port 587
    #[value(name = "starttls")]
    StartTls,
}

/// A server, as a profile keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Tls,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
}

impl Tls {
    /// The port that is registered for it (RFC 8314 section 7.3, RFC 6409 section 3.1).
    pub(crate) fn port(self) -> u16 {
        match self {
            Tls::Implicit => 465,
            Tls::StartTls => 587,
        }
    }
}

impl Server {
    /// The CAs that are trusted besides the system's.
    ///
    /// # Errors
    /// When their file can't be read, or has none.
    pub(crate) fn authorities(&self) -> anyhow::Result<Vec<CertificateDer<'static>>> {
        Ok(self.ca.as_deref().map_or_else(|| Ok(Vec::new()), pem::certificates)?)
    }

    /// As a client takes it: with a certificate for its name, or not at all.
    pub(crate) fn next_host(
        &self,
        tls_ca: Vec<CertificateDer<'static>>,
        password: Option<Secret>,
    ) -> NextHost {
        let credentials =
            self.user.as_ref().zip(password).map(|(user, password)| Credentials::new(user, password));
        NextHost {
            host: self.host.clone(),
            port: self.port,
            protocol: Protocol::Smtp,
            implicit_tls: self.tls == Tls::Implicit,
            tls: HostTls::Verify,
            tls_ca,
            credentials,
        }
    }

    /// The host and its port, as people write them.
    pub(crate) fn shown(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}
