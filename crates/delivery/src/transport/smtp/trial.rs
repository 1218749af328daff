//! Trying without a message whether mail could leave: for the operator who wants to know.

use std::path::Path;
use std::sync::Arc;

use dns::Resolver;
use esmtp::dialogue::Enhanced;
use tokio::net::TcpStream;
use types::{Domain, Host, ListenTls};

use super::connect::Opener;
use super::mx::{Failure, MxRelay};
use super::tls::Protection;
use super::trouble::Trouble;
use crate::next_host::{NextHost, NextHostError};
use crate::resolve::{MailHosts, MxRules, StsPolicies};
use crate::tls_tally::TlsTally;

/// Why mail could not be handed to a host.
#[derive(Debug, thiserror::Error)]
pub enum TryError {
    /// It can't even be tried.
    #[error(transparent)]
    Setup(#[from] NextHostError),
    /// What went wrong on the way to it, or what it said.
    #[error("{0}")]
    Trouble(String),
    /// No connection came about to this host, one of those that take mail for a domain.
    #[error("{host}: {trouble}")]
    Unreached {
        /// Its name and port.
        host: String,
        /// What went wrong.
        trouble: String,
    },
    /// This host, one of those that take mail for a domain, was reached, and would take none.
    #[error("{host}: {trouble}")]
    MailHost {
        /// Its name and port.
        host: String,
        /// What went wrong, or what it said.
        trouble: String,
    },
}

/// Does what a delivery does before its first message, and then QUIT: connects, verifies the certificate, says EHLO and logs in.
///
/// # Errors
/// Whatever would keep a delivery from beginning.
pub async fn try_host(next_host: &NextHost, hostname: &str) -> Result<(), TryError> {
    let connection = Opener::new(next_host, hostname)?.open().await?;
    connection.quit().await;
    Ok(())
}

/// The same for whoever takes mail in LMTP behind a Unix socket.
///
/// # Errors
/// Whatever would keep a delivery from beginning.
pub async fn try_socket(path: &Path, hostname: &str) -> Result<(), TryError> {
    let connection = Opener::to_socket(path, hostname).open().await?;
    connection.quit().await;
    Ok(())
}

/// The same over a connection that stands, to a listener of this very server. Its certificate is not judged.
///
/// # Errors
/// Whatever would keep a client from beginning.
pub async fn try_own_listener(stream: TcpStream, tls: ListenTls, hostname: &str) -> Result<(), TryError> {
    let address = stream.peer_addr().map_err(Trouble::Connect)?;
    let protection = Protection::of_own_listener(tls)
        .map_err(|source| NextHostError::Tls { host: address.to_string(), source })?;
    let opener = Opener::at(address.to_string(), vec![address], protection, hostname);
    opener.open_over(address, stream).await?.quit().await;
    Ok(())
}

/// The same for the hosts that take mail for a domain; one is enough. A domain that takes no mail is none to try it with, which is no error.
///
/// # Errors
/// [`TryError::Trouble`] if the DNS does not answer, [`TryError::Unreached`] or [`TryError::MailHost`] if no host takes mail.
pub async fn try_domain(
    domain: &Domain,
    resolver: &Resolver,
    rules: &MxRules,
    hostname: &str,
) -> Result<(), TryError> {
    let hosts = MailHosts::new(resolver.clone(), hostname, rules, Arc::new(StsPolicies::none()));
    let relay = MxRelay::new(hosts, hostname, Arc::new(TlsTally::new(|| jiff::Timestamp::UNIX_EPOCH)))?;
    match relay.greet(&Host::Domain(domain.clone())).await {
        Err(failure) if failure.may_pass() || failure.host.is_some() => Err(failure.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

impl From<Trouble> for TryError {
    fn from(trouble: Trouble) -> Self {
        TryError::Trouble(trouble.to_string())
    }
}

impl From<Failure> for TryError {
    fn from(failure: Failure) -> Self {
        let reply = failure.verdict.reply();
        let trouble = reply.lines().join(" ");
        // RFC 3463 section 3.5, X.4.1: no answer from the host.
        let is_reached =
            reply.enhanced().is_none_or(|Enhanced(_, subject, detail)| (subject, detail) != (4, 1));
        match failure.host {
            Some(host) if is_reached => TryError::MailHost { host, trouble },
            Some(host) => TryError::Unreached { host, trouble },
            None => TryError::Trouble(trouble),
        }
    }
}
