//! A fixed host that mail is handed to, as it is configured.

use esmtp::dialogue::{Credentials, Protocol};
use rustls::pki_types::CertificateDer;
use types::HostTls;

/// A fixed host, and how it is to be spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextHost {
    /// A host name, or an IP address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// How it is spoken to.
    pub protocol: Protocol,
    /// TLS from the first octet (RFC 8314 section 3.3), instead of STARTTLS (RFC 3207).
    pub implicit_tls: bool,
    /// How TLS is used.
    pub tls: HostTls,
    /// CAs trusted for this host besides the system's.
    pub tls_ca: Vec<CertificateDer<'static>>,
    /// How to log in. With credentials `Opportunistic` means `Verify`: they are never sent to a host that has not
    /// proved its name, unless `tls` is `Off` and the host is on this machine.
    pub credentials: Option<Credentials>,
}

impl NextHost {
    /// `smtp://user@host:port`, or `smtps://` where TLS is implicit, or `lmtp://`.
    pub(crate) fn url(&self) -> String {
        let scheme = match (self.protocol, self.implicit_tls) {
            (Protocol::Lmtp, _) => "lmtp",
            (Protocol::Smtp, true) => "smtps",
            (Protocol::Smtp, false) => "smtp",
        };
        let user = self.credentials.as_ref().map(|login| format!("{}@", login.username));
        format!("{scheme}://{}{}:{}", user.unwrap_or_default(), self.host, self.port)
    }
}

/// Why a fixed host cannot be used: for the operator, at the start.
#[derive(Debug, thiserror::Error)]
pub enum NextHostError {
    /// TLS to a fixed host cannot be set up.
    #[error("TLS to {host} cannot be set up")]
    Tls {
        /// The host.
        host: String,
        /// What is wrong, such as a CA that cannot be read.
        #[source]
        source: rustls::Error,
    },
    /// The name is neither a host name nor an address.
    #[error("{0} is not the name of a host")]
    Host(String),
}
