//! Certificates of clients: asked for, not demanded, and taken whoever has signed them.
//!
//! An account is known by the fingerprints that were entered for it, so there is no authority to trust here. What is
//! verified is that the client has the private key (RFC 8446 section 4.4.3): without that a certificate, which is
//! no secret, would prove nothing. One that cannot be understood ends the handshake: a client that means to log in
//! by it learns so at once.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use sha2::{Digest, Sha256};
use types::{ClientCertificate, Fingerprint};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use super::certificate::moment;

/// The most octets of a client's whole chain. It comes back to us inside of every ticket (RFC 8446 section 4.6.1), and
/// there it has to fit into a hello that we still read.
const CHAIN: usize = 16 * 1024;

/// Takes any certificate whose private key the client has.
#[derive(Debug)]
pub(crate) struct AnyCertificate(pub(crate) WebPkiSupportedAlgorithms);

impl ClientCertVerifier for AnyCertificate {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: the client shows what it has.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let octets = others.iter().fold(own.len(), |sum, certificate| sum.saturating_add(certificate.len()));
        if octets > CHAIN {
            return Err(Error::General("the client's certificates are too long".to_owned()));
        }
        read(own).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}

/// What is known of a client by its certificate.
///
/// # Errors
/// When it cannot be understood.
pub fn read(certificate: &CertificateDer<'_>) -> Result<Arc<ClientCertificate>, Error> {
    let (_, parsed) = X509Certificate::from_der(certificate)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    let fingerprint = Fingerprint::from_octets(Sha256::digest(certificate).into());
    let validity = parsed.validity();
    let (not_before, not_after) = (moment(validity.not_before), moment(validity.not_after));
    Ok(Arc::new(ClientCertificate::new(fingerprint, certificate.to_vec(), not_before, not_after)))
}
