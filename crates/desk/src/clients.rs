//! What a mail program has to know to hand mail in.

use crate::Desk;

/// Where mail programs hand mail in. How they log in, the page says that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientSettings {
    /// The server.
    pub host: String,
    /// The port with TLS from the first octet (RFC 8314), if there is one.
    pub implicit_tls_port: Option<u16>,
    /// The port with STARTTLS, if there is one.
    pub starttls_port: Option<u16>,
}

impl Desk {
    /// Where mail programs hand mail in.
    #[must_use]
    pub fn client_settings(&self) -> ClientSettings {
        ClientSettings {
            host: self.settings.hostname.clone(),
            implicit_tls_port: self.settings.implicit_tls_port,
            starttls_port: self.settings.starttls_port,
        }
    }
}
