//! Where mail goes: a `via`.

use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

use serde::Deserialize;

use crate::hostname::is_hostname;
use crate::value::{Base, Text};

/// Where mail goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// Files in this directory, as qmail's maildir(5) has them.
    Maildir(PathBuf),
    /// The hosts that the DNS names for the domain of each recipient.
    #[default]
    Mx,
    /// A fixed host, with STARTTLS as `delivery.tls` says.
    Smtp(HostPort),
    /// A fixed host, TLS from the first octet.
    Smtps(HostPort),
    /// A fixed host that takes mail in LMTP (RFC 2033), with STARTTLS as `tls` says.
    Lmtp(HostPort),
    /// Whoever takes mail in LMTP behind this Unix socket.
    LmtpUnix(PathBuf),
    /// Nowhere, until an administrator releases it.
    Hold,
}

/// A host and its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// A host name or an IP address (IPv6 without brackets).
    pub host: String,
    /// Never 0.
    pub port: u16,
}

pub(crate) const RIGHT: &str = "write \"mx\", \"smtp://host:port\", \"smtps://host:port\", \"lmtp://host:port\", \"lmtp+unix:/path\", \"maildir:/path\" or \"hold\"";

impl Via {
    fn parse(text: &str) -> Result<Via, String> {
        if text.contains('@') && ["smtp", "lmtp:"].iter().any(|scheme| text.starts_with(scheme)) {
            // Not repeated here: it may hold a password.
            return Err("a login is not part of it; write username and password_file beside it".to_owned());
        }
        let via = match text.split_once(':') {
            None if text == "mx" => Some(Via::Mx),
            None if text == "hold" => Some(Via::Hold),
            Some(("maildir", path)) if !path.is_empty() => Some(Via::Maildir(PathBuf::from(path))),
            Some(("smtp", host)) => HostPort::parse(host).map(Via::Smtp),
            Some(("smtps", host)) => HostPort::parse(host).map(Via::Smtps),
            Some(("lmtp", host)) => HostPort::parse(host).map(Via::Lmtp),
            Some(("lmtp+unix", path)) if !path.is_empty() => Some(Via::LmtpUnix(PathBuf::from(path))),
            Some(_) | None => None,
        };
        via.ok_or_else(|| format!("\"{text}\" is not a way to deliver mail; {RIGHT}"))
    }

    pub(crate) fn resolved(self, base: &Base) -> Via {
        match self {
            Via::Maildir(path) => Via::Maildir(base.join(path)),
            Via::LmtpUnix(path) => Via::LmtpUnix(base.join(path)),
            fixed @ (Via::Mx | Via::Smtp(_) | Via::Smtps(_) | Via::Lmtp(_) | Via::Hold) => fixed,
        }
    }

    /// Whether mail goes to a host over the network.
    pub fn is_host(&self) -> bool {
        matches!(self, Via::Smtp(_) | Via::Smtps(_) | Via::Lmtp(_))
    }

    /// Whether mail goes to a host whose address is one of this machine. A name is none: somebody else says what it stands for.
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Via::Smtp(fixed) | Via::Smtps(fixed) | Via::Lmtp(fixed) => {
                fixed.host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
            }
            Via::Mx | Via::Maildir(_) | Via::LmtpUnix(_) | Via::Hold => false,
        }
    }
}

impl HostPort {
    /// `//host:port`, where an IPv6 address stands in brackets.
    fn parse(text: &str) -> Option<HostPort> {
        let (host, port) = text.strip_prefix("//")?.rsplit_once(':')?;
        let host = match host.strip_prefix('[') {
            Some(literal) => {
                literal.strip_suffix(']').filter(|literal| literal.parse::<Ipv6Addr>().is_ok())?
            }
            None => Some(host).filter(|host| is_hostname(host))?,
        };
        let port = port.parse().ok().filter(|port| *port != 0)?;
        Some(HostPort { host: host.to_owned(), port })
    }
}

impl<'de> Deserialize<'de> for Via {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Via, D::Error> {
        deserializer
            .deserialize_str(Text { expecting: "a string such as \"maildir:/path\"", parse: Via::parse })
    }
}
