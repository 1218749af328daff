//! `[[listen]]`: where clients connect.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use serde::Deserialize;
use toml::Spanned;
use types::{ListenTls, Mechanism};

use crate::auth;
use crate::fault::Fault;
use crate::network::{self, Network};
use crate::word::Word;

/// One address that clients connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Port 0 means any free port.
    pub address: SocketAddr,
    /// When TLS begins.
    pub tls: ListenTls,
    /// What EHLO offers here, in this order, instead of [`Auth::mechanisms`](crate::Auth::mechanisms); never empty.
    pub mechanisms: Option<Vec<Mechanism>>,
    /// Clients are asked for a certificate, to log in with by EXTERNAL.
    pub client_certificates: bool,
    /// Who connects from here begins with a header of the PROXY protocol.
    pub proxy_protocol: Vec<IpNet>,
    /// Who connects from here may say with XCLIENT who its client is.
    pub xclient: Vec<IpNet>,
    /// And that its client has logged in.
    pub xclient_login: bool,
}

impl Listen {
    fn new(address: SocketAddr, tls: ListenTls) -> Listen {
        Listen {
            address,
            tls,
            mechanisms: None,
            client_certificates: false,
            proxy_protocol: Vec::new(),
            xclient: Vec::new(),
            xclient_login: false,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    address: Option<Spanned<String>>,
    tls: Option<Word<ListenTls>>,
    mechanisms: Option<Spanned<Vec<Spanned<Word<Mechanism>>>>>,
    client_certificates: Option<Spanned<bool>>,
    proxy_protocol: Option<Vec<Spanned<Network>>>,
    xclient: Option<Vec<Spanned<Network>>>,
    xclient_login: Option<Spanned<bool>>,
}

/// The ports of RFC 6409 and RFC 8314, on every address.
pub(crate) fn default_listeners() -> Vec<Listen> {
    let any = |port, tls| Listen::new(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port), tls);
    vec![any(587, ListenTls::StartTls), any(465, ListenTls::Implicit)]
}

pub(crate) fn mean(written: Option<Spanned<Vec<Spanned<Written>>>>) -> Result<Vec<Listen>, Fault> {
    let Some(written) = written else { return Ok(default_listeners()) };
    if written.get_ref().is_empty() {
        return Err(Fault::at(
            &written,
            "is empty; write at least one [[listen]], or none for the ports 587 and 465",
        ));
    }
    let mut listeners: Vec<Listen> = Vec::new();
    for section in written.into_inner() {
        let at = section.span().start;
        let (address, listen) = section.into_inner().mean(at)?;
        if listen.address.port() != 0 && listeners.iter().any(|other| other.address == listen.address) {
            return Err(Fault::at(
                &address,
                format!("{} is written twice; each [[listen]] needs its own address", listen.address),
            ));
        }
        listeners.push(listen);
    }
    Ok(listeners)
}

const RIGHT_ADDRESS: &str = "write IP:PORT, such as \"[::]:587\" or \"127.0.0.1:2587\"";
const RIGHT_TLS: &str = "write \"starttls\", \"implicit\" or \"off\"";

impl Written {
    fn mean(self, at: usize) -> Result<(Spanned<String>, Listen), Fault> {
        let written =
            self.address.ok_or_else(|| Fault::missing(Some(at), "listen.address", RIGHT_ADDRESS))?;
        let address = written.get_ref().parse().map_err(|_| {
            Fault::at(&written, format!("\"{}\" is not an address; {RIGHT_ADDRESS}", written.get_ref()))
        })?;
        let Word(tls) = self.tls.ok_or_else(|| Fault::missing(Some(at), "listen.tls", RIGHT_TLS))?;
        let mechanisms = self.mechanisms.map(auth::distinct).transpose()?;
        let client_certificates = certificates_under(tls, self.client_certificates)?;
        let (proxy_protocol, xclient) = (trusted(self.proxy_protocol)?, trusted(self.xclient)?);
        let xclient_login = login_of(&xclient, self.xclient_login)?;
        let listen =
            Listen { address, tls, mechanisms, client_certificates, proxy_protocol, xclient, xclient_login };
        Ok((written, listen))
    }
}

/// Certificates are shown within TLS (RFC 8446 section 4.3.2).
fn certificates_under(tls: ListenTls, written: Option<Spanned<bool>>) -> Result<bool, Fault> {
    match written {
        Some(asked_for) if *asked_for.get_ref() && tls == ListenTls::Off => Err(Fault::at(
            &asked_for,
            "needs TLS; write tls = \"starttls\" or \"implicit\" here, or leave it out",
        )),
        written => Ok(written.is_some_and(Spanned::into_inner)),
    }
}

fn trusted(written: Option<Vec<Spanned<Network>>>) -> Result<Vec<IpNet>, Fault> {
    written.unwrap_or_default().into_iter().map(network::of_trusted).collect()
}

/// Whose word it would be has to be said too.
fn login_of(xclient: &[IpNet], written: Option<Spanned<bool>>) -> Result<bool, Fault> {
    match written {
        Some(login) if *login.get_ref() && xclient.is_empty() => Err(Fault::at(
            &login,
            "says nothing without xclient; write the networks whose word is taken there, or leave it out",
        )),
        written => Ok(written.is_some_and(Spanned::into_inner)),
    }
}
