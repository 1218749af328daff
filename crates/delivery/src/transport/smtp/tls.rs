//! TLS towards the next host: what is done about it, and the proof that credentials may be sent to a fixed one.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, ClientConnection, Error, OtherError, ProtocolVersion};
use rustls_platform_verifier::Verifier;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use types::{HostTls, ListenTls, Secret};

use super::proven::Proof;
use super::trouble::Trouble;
use super::watching::Watching;
use super::wire::Stream;
use super::without_authority::WithoutAuthority;
use crate::next_host::{NextHost, NextHostError};
use crate::resolve::Tlsas;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(30);

/// What is done about TLS before anything else is said.
pub(super) enum Protection {
    /// TLS from the first octet (RFC 8314 section 3.3).
    Implicit(Client),
    /// STARTTLS (RFC 3207), and no mail without it.
    StartTls(Client),
    /// STARTTLS if it is offered, with whoever answers; mail leaves in the clear if TLS cannot be had (RFC 7435 section 3).
    IfOffered(Client),
    /// None: the operator has written so.
    Off,
}

/// The client's side of TLS to one host.
pub(super) struct Client {
    connector: TlsConnector,
    name: ServerName<'static>,
    proof: Proof,
}

/// Proof that the peer is the host it should be, or on this machine. Logging in needs it.
pub(super) struct Trusted {
    /// What only the two ends of the connection can know (RFC 9266); there is nothing of that kind without TLS 1.3.
    pub(super) exporter: Option<Secret>,
}

impl Protection {
    pub(super) fn new(next_host: &NextHost) -> Result<Protection, NextHostError> {
        let verifies = match (next_host.tls, &next_host.credentials) {
            (HostTls::Off, _) if !next_host.implicit_tls => return Ok(Protection::Off),
            (HostTls::Off, _) | (HostTls::Opportunistic, None) => false,
            (HostTls::Verify, _) | (HostTls::Opportunistic, Some(_)) => true,
        };
        let client = Client::new(next_host, verifies)?;
        Ok(match verifies {
            _ if next_host.implicit_tls => Protection::Implicit(client),
            true => Protection::StartTls(client),
            false => Protection::IfOffered(client),
        })
    }

    /// Of a listener that is on this machine itself, whatever its certificate is for; no mail is handed to it.
    pub(super) fn of_own_listener(tls: ListenTls) -> Result<Protection, Error> {
        let name = ServerName::from(IpAddr::from(Ipv4Addr::LOCALHOST));
        let client =
            || -> Result<Client, Error> { Ok(Client::of_mail_host(of_anybody()?, name, Proof::Nothing)) };
        Ok(match tls {
            ListenTls::Implicit => Protection::Implicit(client()?),
            ListenTls::StartTls => Protection::StartTls(client()?),
            ListenTls::Off => Protection::Off,
        })
    }

    /// Whether the host proves its name before anything is handed to it.
    pub(super) fn proves_name(&self) -> bool {
        match self {
            Protection::Implicit(client) | Protection::StartTls(client) => client.proof == Proof::Name,
            Protection::IfOffered(_) | Protection::Off => false,
        }
    }

    /// Whether mail may leave in the clear if TLS cannot be had.
    pub(super) fn is_optional(&self) -> bool {
        matches!(self, Protection::IfOffered(_))
    }
}

impl Client {
    fn new(next_host: &NextHost, verifies: bool) -> Result<Client, NextHostError> {
        let name = ServerName::try_from(next_host.host.clone())
            .map_err(|_| NextHostError::Host(next_host.host.clone()))?;
        let config = if verifies { of_authority(&next_host.tls_ca) } else { of_anybody() }
            .map_err(|source| NextHostError::Tls { host: next_host.host.clone(), source })?;
        let proof = if verifies { Proof::Name } else { Proof::Nothing };
        Ok(Client { connector: TlsConnector::from(config), name, proof })
    }

    /// For a host that the DNS names, to which nobody logs in.
    pub(super) fn of_mail_host(config: Arc<ClientConfig>, name: ServerName<'static>, proof: Proof) -> Client {
        Client { connector: TlsConnector::from(config), name, proof }
    }

    /// What its handshake proves.
    pub(super) fn proof(&self) -> Proof {
        self.proof
    }

    /// The handshake; with the proof, if the certificate was verified to be of the name that is configured (RFC 9525), and not of one
    /// that the peer or the DNS has said.
    pub(super) async fn handshake<S: Stream + 'static>(
        &self,
        stream: S,
    ) -> Result<(Box<dyn Stream>, Option<Trusted>), Trouble> {
        let handshake = timeout(HANDSHAKE, self.connector.connect(self.name.clone(), stream)).await;
        let stream = handshake
            .map_err(|late| Trouble::Tls(late.into()))?
            .map_err(|error| Trouble::Tls(in_words(error)))?;
        let trusted = (self.proof == Proof::Name).then(|| Trusted { exporter: exporter(stream.get_ref().1) });
        Ok((Box::new(stream), trusted))
    }
}

impl Trusted {
    /// Without TLS a peer on this machine is trusted, and no other: it may be the end of a tunnel.
    pub(super) fn on_this_machine(peer: &TcpStream) -> Option<Trusted> {
        let address = peer.peer_addr().ok()?;
        address.ip().to_canonical().is_loopback().then_some(Trusted { exporter: None })
    }
}

/// What is wrong with the certificate in words, where it is what we have found ourselves, which rustls shows as code.
fn in_words(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(Error::InvalidCertificate(CertificateError::Other(OtherError(found)))) => {
            io::Error::new(error.kind(), found.clone())
        }
        _ => error,
    }
}

/// RFC 9266 section 2. Before TLS 1.3 it would hang on an extension that not everybody has (section 4.2).
fn exporter(connection: &ClientConnection) -> Option<Secret> {
    if connection.protocol_version() != Some(ProtocolVersion::TLSv1_3) {
        return None;
    }
    let exported = connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok()?;
    Some(Secret::new(exported))
}

/// What TLS is spoken with where any certificate will do.
///
/// # Errors
/// When TLS cannot be set up.
pub(super) fn of_anybody() -> Result<Arc<ClientConfig>, Error> {
    without_authority(None, Arc::new(aws_lc_rs::default_provider())).map(Arc::new)
}

/// What TLS is spoken with where the certificate has to be one that these records name. A session is never resumed: its certificate would
/// not be judged again.
///
/// # Errors
/// When TLS cannot be set up.
pub(super) fn of_tlsas(tlsas: Arc<Tlsas>, provider: Arc<CryptoProvider>) -> Result<Arc<ClientConfig>, Error> {
    let mut config = without_authority(Some(tlsas), provider)?;
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn without_authority(
    named_by: Option<Arc<Tlsas>>,
    provider: Arc<CryptoProvider>,
) -> Result<ClientConfig, Error> {
    config(Arc::new(WithoutAuthority { named_by, provider: provider.clone() }), provider)
}

/// What TLS is spoken with where the certificate has to be of the host's name (RFC 9525), and of an authority that the system trusts, or
/// one of these.
///
/// # Errors
/// When TLS cannot be set up, such as where the system knows of no authority.
pub(super) fn of_authority(ca: &[CertificateDer<'static>]) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    config(authorities(ca, provider.clone())?, provider).map(Arc::new)
}

/// What verifies by the authorities that the system trusts, and these.
///
/// # Errors
/// When the system knows of no authority.
pub(super) fn authorities(
    ca: &[CertificateDer<'static>],
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    Ok(Arc::new(Verifier::new_with_extra_roots(ca.iter().cloned(), provider)?))
}

/// What TLS is spoken with where any certificate will do, and is looked at.
///
/// # Errors
/// When TLS cannot be set up.
pub(super) fn watching(
    watching: Watching,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<ClientConfig>, Error> {
    let mut config = config(Arc::new(watching), provider)?;
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

fn config(
    verifier: Arc<dyn ServerCertVerifier>,
    provider: Arc<CryptoProvider>,
) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
    Ok(builder.with_no_client_auth())
}
