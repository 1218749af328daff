//! What one listener offers of TLS.
//!
//! A listener has ticket keys of its own, so that a session begun on one cannot be resumed on another.

use std::fmt;
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, NoClientAuth, NoServerSessionStorage, ProducesTickets, ResolvesServerCert,
};
use rustls::sign::CertifiedKey;
use rustls::{Error, ProtocolVersion, ServerConfig};
use types::TlsVersion;

use super::bound::Bound;
use super::client_certificate::AnyCertificate;
use super::error::TlsError;
use super::identity::Identity;
use super::records::Records;
use super::version::versions;

/// The one protocol name that is agreed to; whoever offers only others is talking to the wrong server, perhaps
/// not of its own will (the ALPACA attack), and is refused. RFC 7301 section 3.2. To offer none is fine.
const ALPN: &[u8] = b"smtp";

/// Tickets for a client's next connections (RFC 8446 section 4.6.1). They leave together with the greeting.
const TICKETS: usize = 2;

/// What a listener's connections begin with.
pub(crate) struct Offer {
    identity: Identity,
    oldest: TlsVersion,
    client_certificates: bool,
    config: Arc<ServerConfig>,
    /// For sessions that know their certificate.
    tickets: Arc<dyn ProducesTickets>,
}

impl Offer {
    /// Hybrid post-quantum key exchange first, no early data, client certificates only where they are asked for, and
    /// sessions resumed by tickets alone, so that nothing is kept for clients that are gone.
    pub(crate) fn new(
        identity: &Identity,
        oldest: TlsVersion,
        client_certificates: bool,
    ) -> Result<Self, TlsError> {
        let mut config = config(identity, oldest, client_certificates)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.send_tls13_tickets = TICKETS;
        let tickets = aws_lc_rs::Ticketer::new().map_err(TlsError::Setup)?;
        Ok(Self {
            identity: identity.clone(),
            oldest,
            client_certificates,
            config: Arc::new(config),
            tickets,
        })
    }

    /// Whether it is just this.
    pub(crate) fn is(&self, identity: &Identity, oldest: TlsVersion, client_certificates: bool) -> bool {
        self.identity.is(identity) && (self.oldest, self.client_certificates) == (oldest, client_certificates)
    }

    /// What all connections share that logins are not bound to.
    pub(crate) fn shared(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// A new connection.
    pub(crate) fn records(&self) -> Result<Records, Error> {
        Records::new(self.shared(), None)
    }

    /// A new connection that logins can be bound to.
    pub(crate) fn bound_records(&self) -> Result<Records, Error> {
        let bound = Arc::new(Bound::new(self.identity.current(), Arc::clone(&self.tickets)));
        let mut config = ServerConfig::clone(&self.config);
        config.cert_resolver = Arc::clone(&bound) as _;
        config.ticketer = Arc::clone(&bound) as _;
        config.key_log = Arc::clone(&bound) as _;
        Records::new(Arc::new(config), Some(bound))
    }
}

impl fmt::Debug for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer").finish_non_exhaustive()
    }
}

/// What every listener offers, whatever the protocol within.
fn config(
    identity: &Identity,
    oldest: TlsVersion,
    client_certificates: bool,
) -> Result<ServerConfig, TlsError> {
    let provider = provider();
    let verifier = verifier(&provider, client_certificates);
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions(oldest))
        .map_err(TlsError::Setup)?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(Resolver(identity.clone())));
    config.ignore_client_order = true;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = aws_lc_rs::Ticketer::new().map_err(TlsError::Setup)?;
    config.max_early_data_size = 0;
    Ok(config)
}

/// What a listener of another protocol than SMTP offers with this certificate, and with whatever takes its place later: as
/// strict as ours, with ticket keys of its own, and with these names for ALPN, the one that is liked best first (RFC 7301).
///
/// # Errors
/// When TLS cannot be set up.
pub fn for_other_protocol(
    identity: &Identity,
    oldest: TlsVersion,
    alpn: &[&[u8]],
) -> Result<Arc<ServerConfig>, TlsError> {
    let mut config = config(identity, oldest, false)?;
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

fn verifier(provider: &CryptoProvider, client_certificates: bool) -> Arc<dyn ClientCertVerifier> {
    if client_certificates {
        Arc::new(AnyCertificate(provider.signature_verification_algorithms))
    } else {
        Arc::new(NoClientAuth)
    }
}

/// The provider, with AES-128 and SHA-256 in front: no weaker than the rest of the handshake, and where the processor
/// has instructions for both, a session of one message costs a tenth less than with AES-256, which brings SHA-384.
fn provider() -> Arc<CryptoProvider> {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| {
        let uses_sha256 = suite.suite().as_str().is_some_and(|name| name.contains("AES_128"));
        (suite.version().version != ProtocolVersion::TLSv1_3, !uses_sha256)
    });
    Arc::new(provider)
}

/// Whatever name the client asks for, it gets the one certificate (RFC 6066 section 3 leaves that to the server),
/// so a flood of made-up names costs nothing.
#[derive(Debug)]
struct Resolver(Identity);

impl ResolvesServerCert for Resolver {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.current().key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_protocol_has_names_and_ticket_keys_of_its_own() {
        let made = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let identity =
            Identity::from_pem(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes())
                .unwrap();
        let one = for_other_protocol(&identity, TlsVersion::default(), &[b"h2", b"http/1.1"]).unwrap();
        assert_eq!(one.alpn_protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
        let mail = Offer::new(&identity, TlsVersion::default(), false).unwrap();
        assert!(!Arc::ptr_eq(&one.ticketer, &mail.config.ticketer));
        assert_eq!(one.max_early_data_size, 0);
    }

    #[test]
    fn the_hybrid_key_exchange_comes_first() {
        let groups = provider().kx_groups.clone();
        assert_eq!(groups.first().unwrap().name(), rustls::NamedGroup::X25519MLKEM768);
    }
}
