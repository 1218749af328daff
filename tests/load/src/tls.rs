//! TLS as a client: which CA is trusted, and how much of a handshake is repeated.

use std::fs::File;
use std::io::BufReader;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, ensure};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, NamedGroup, RootCertStore, SignatureScheme};
use tokio_rustls::TlsConnector;

use crate::options::{KeyExchange, Options};

/// A connector that trusts the CA of the options alone.
///
/// # Errors
/// When the CA file cannot be read or holds no certificate.
pub(crate) fn connector(options: &Options) -> anyhow::Result<TlsConnector> {
    let provider = Arc::new(provider(options.key_exchange));
    let builder =
        ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let verifier = VerifiedOnce::new(roots(options)?, provider)?;
    // "Dangerous" is rustls' word for any verifier of one's own; this one asks webpki.
    let mut config =
        builder?.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth();
    if !options.resume {
        config.resumption = Resumption::disabled();
    }
    Ok(TlsConnector::from(Arc::new(config)))
}

fn provider(key_exchange: KeyExchange) -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    if key_exchange == KeyExchange::X25519 {
        provider.kx_groups.retain(|group| group.name() == NamedGroup::X25519);
    }
    provider
}

fn roots(options: &Options) -> anyhow::Result<RootCertStore> {
    let name = options.ca.display();
    let mut file = BufReader::new(File::open(&options.ca).with_context(|| format!("cannot open {name}"))?);
    let mut roots = RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut file) {
        roots.add(certificate.with_context(|| format!("{name} is not PEM"))?)?;
    }
    ensure!(!roots.is_empty(), "{name} holds no certificate");
    Ok(roots)
}

/// Verifies the server's certificate on the first connection, and remembers it: the load generator shares the
/// machine with the server, and what it computes is missing there.
#[derive(Debug)]
struct VerifiedOnce {
    webpki: Arc<WebPkiServerVerifier>,
    seen: OnceLock<CertificateDer<'static>>,
}

impl VerifiedOnce {
    fn new(roots: RootCertStore, provider: Arc<CryptoProvider>) -> anyhow::Result<Self> {
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;
        Ok(Self { webpki, seen: OnceLock::new() })
    }
}

impl ServerCertVerifier for VerifiedOnce {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.seen.get().is_some_and(|seen| seen == leaf) {
            return Ok(ServerCertVerified::assertion());
        }
        let verified = self.webpki.verify_server_cert(leaf, chain, name, ocsp, now)?;
        self.seen.get_or_init(|| leaf.clone().into_owned());
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.webpki.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.webpki.supported_verify_schemes()
    }
}
