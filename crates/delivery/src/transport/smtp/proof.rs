//! TLS towards the hosts that the DNS names: with each as its demand says.

use std::io;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, Error};

use super::proven::Proof;
use super::tls::{self, Client, Protection};
use super::trouble::Trouble;
use super::watching::{Found, Watching};
use crate::resolve::{Candidate, Demand};

/// What TLS is spoken with, made once for all hosts.
pub(super) struct TlsToMailHosts {
    provider: Arc<CryptoProvider>,
    with_anybody: Arc<ClientConfig>,
    /// Made when it is first demanded: a system without authorities still sends mail where none is.
    verified: OnceLock<Arc<ClientConfig>>,
    /// Authorities that are trusted besides the system's.
    trust: Vec<CertificateDer<'static>>,
    /// What verifies by them, where nothing depends on it.
    authorities: OnceLock<Arc<dyn ServerCertVerifier>>,
}

impl TlsToMailHosts {
    /// # Errors
    /// When TLS cannot be set up.
    pub(super) fn new(trust: &[CertificateDer<'static>]) -> Result<TlsToMailHosts, Error> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let (with_anybody, verified) = (tls::of_anybody()?, OnceLock::new());
        Ok(TlsToMailHosts {
            provider,
            with_anybody,
            verified,
            trust: trust.to_owned(),
            authorities: OnceLock::new(),
        })
    }

    /// What is done about TLS with this host. What is wrong with a certificate under a policy that is only tested is `found`.
    ///
    /// # Errors
    /// [`Trouble::Tls`] when what is demanded cannot be proved here.
    pub(super) fn protection(&self, candidate: &Candidate, found: &Found) -> Result<Protection, Trouble> {
        let name = name_for_tls(candidate);
        let with = |config: &Arc<ClientConfig>, proof| Client::of_mail_host(config.clone(), name, proof);
        Ok(match &candidate.demand {
            Demand::Opportunistic if is_tested(candidate) => {
                // Without authorities nothing is found, which is no reason to keep mail.
                let watching = self.watching(found).unwrap_or_else(|_| self.with_anybody.clone());
                Protection::IfOffered(with(&watching, Proof::Nothing))
            }
            Demand::Opportunistic => Protection::IfOffered(with(&self.with_anybody, Proof::Nothing)),
            Demand::Encrypted => Protection::StartTls(with(&self.with_anybody, Proof::Nothing)),
            Demand::Verified => Protection::StartTls(with(self.verified()?, Proof::Name)),
            Demand::Dane(tlsas) => {
                let config = tls::of_tlsas(tlsas.clone(), self.provider.clone()).map_err(not_set_up)?;
                Protection::StartTls(with(&config, Proof::Tlsas))
            }
        })
    }

    /// A session is never resumed: its certificate would not be looked at again.
    fn watching(&self, found: &Found) -> Result<Arc<ClientConfig>, Error> {
        let verifier = match self.authorities.get() {
            Some(verifier) => verifier.clone(),
            None => {
                let verifier = tls::authorities(&self.trust, self.provider.clone())?;
                self.authorities.get_or_init(|| verifier).clone()
            }
        };
        tls::watching(Watching { verifier, found: found.clone() }, self.provider.clone())
    }

    fn verified(&self) -> Result<&Arc<ClientConfig>, Trouble> {
        if let Some(config) = self.verified.get() {
            return Ok(config);
        }
        let config = tls::of_authority(&self.trust).map_err(not_set_up)?;
        Ok(self.verified.get_or_init(|| config))
    }
}

fn is_tested(candidate: &Candidate) -> bool {
    candidate.accounting.as_ref().is_some_and(|accounting| accounting.is_tested)
}

fn not_set_up(error: Error) -> Trouble {
    Trouble::Tls(io::Error::other(error))
}

/// What the host is called when TLS begins (RFC 6066 section 3): by its name, or where its TLSA records stand (RFC 7672 section 8.1), if TLS can
/// say it, else not at all.
fn name_for_tls(candidate: &Candidate) -> ServerName<'static> {
    let called = match &candidate.demand {
        Demand::Dane(tlsas) => Some(&tlsas.base),
        Demand::Opportunistic | Demand::Encrypted | Demand::Verified => candidate.host.domain(),
    };
    let name = called.and_then(|name| ServerName::try_from(name.normal()).ok());
    name.unwrap_or_else(|| {
        let address = candidate.addresses.first().copied();
        ServerName::IpAddress(address.unwrap_or_else(|| [0, 0, 0, 0].into()).into())
    })
}

#[cfg(test)]
mod tests;
