//! The server that programs read mail from, which is not ours: what a mail program has to be told of it.

use std::fmt;

use crate::Domain;

/// How programs read mail.
///
/// Exhaustive: whether a program is told to use TLS from the first octet must not be decided by an arm for everything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IncomingProtocol {
    /// IMAP within TLS from the first octet. RFC 8314 section 3.2.
    Imaps,
    /// IMAP with STARTTLS. RFC 9051 section 6.2.1.
    Imap,
    /// POP3 within TLS from the first octet. RFC 8314 section 3.1.
    Pop3s,
}

impl IncomingProtocol {
    /// Every protocol.
    pub const ALL: [Self; 3] = [Self::Imaps, Self::Imap, Self::Pop3s];

    /// The scheme of its URL, which is also the name of its service in the DNS (RFC 6186).
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Imaps => "imaps",
            Self::Imap => "imap",
            Self::Pop3s => "pop3s",
        }
    }

    /// The port that is registered for it.
    #[must_use]
    pub const fn registered_port(self) -> u16 {
        match self {
            Self::Imaps => 993,
            Self::Imap => 143,
            Self::Pop3s => 995,
        }
    }

    /// Whether it is IMAP; else it is POP3.
    #[must_use]
    pub const fn is_imap(self) -> bool {
        match self {
            Self::Imaps | Self::Imap => true,
            Self::Pop3s => false,
        }
    }

    /// Whether TLS begins with the STARTTLS command; else it begins at once.
    #[must_use]
    pub const fn uses_starttls(self) -> bool {
        match self {
            Self::Imap => true,
            Self::Imaps | Self::Pop3s => false,
        }
    }
}

/// The server that programs read mail from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IncomingServer {
    /// How.
    pub protocol: IncomingProtocol,
    /// Its name.
    pub host: Domain,
    /// Its port, which is not 0.
    pub port: u16,
}

/// Why a text is not the URL of such a server; says what would be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "is not the server that mail is read from; write \"imaps://host:port\", \"imap://host:port\" (STARTTLS) or \"pop3s://host:port\""
)]
pub struct BadIncomingServer;

impl IncomingServer {
    /// Reads `imaps://host:port`, `imap://host:port` or `pop3s://host:port`. Without a port it is the registered one.
    ///
    /// # Errors
    /// [`BadIncomingServer`], also for a URL that has more than host and port.
    pub fn parse(text: &str) -> Result<Self, BadIncomingServer> {
        let (scheme, rest) = text.split_once("://").ok_or(BadIncomingServer)?;
        let is_it = |protocol: &IncomingProtocol| protocol.scheme().eq_ignore_ascii_case(scheme);
        let protocol = IncomingProtocol::ALL.into_iter().find(is_it).ok_or(BadIncomingServer)?;
        let place = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = match place.split_once(':') {
            Some((host, port)) => (host, port.parse().map_err(|_| BadIncomingServer)?),
            None => (place, protocol.registered_port()),
        };
        let host = Domain::parse(host).map_err(|_| BadIncomingServer)?;
        if port == 0 { Err(BadIncomingServer) } else { Ok(Self { protocol, host, port }) }
    }
}

impl fmt::Display for IncomingServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}:{}", self.protocol.scheme(), self.host.normal(), self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_written_as_a_url_with_host_and_port_alone() {
        for (text, expected) in [
            ("imaps://imap.example.org", "imaps://imap.example.org:993"),
            ("IMAP://imap.example.org/", "imap://imap.example.org:143"),
            ("pop3s://Pop.Example.org:1995", "pop3s://pop.example.org:1995"),
            ("imaps://bücher.example", "imaps://xn--bcher-kva.example:993"),
        ] {
            assert_eq!(IncomingServer::parse(text).unwrap().to_string(), expected, "{text}");
        }
        for wrong in [
            "",
            "imap.example.org",
            "imaps://",
            "imaps://:993",
            "imaps://imap.example.org:0",
            "imaps://imap.example.org:70000",
            "imaps://imap.example.org/INBOX",
            "imaps://alice@imap.example.org",
            "pop3://pop.example.org",
            "smtps://mail.example.org",
            "https://mail.example.org",
        ] {
            assert_eq!(IncomingServer::parse(wrong), Err(BadIncomingServer), "{wrong}");
        }
    }

    #[test]
    fn tls_begins_at_once_but_for_imap_with_starttls() {
        let starttls: Vec<_> = IncomingProtocol::ALL.into_iter().filter(|one| one.uses_starttls()).collect();
        assert_eq!(starttls, [IncomingProtocol::Imap]);
        assert!(!IncomingProtocol::Pop3s.is_imap() && IncomingProtocol::Imaps.is_imap());
    }
}
