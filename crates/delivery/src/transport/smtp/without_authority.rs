//! A verifier of certificates that asks no authority.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::dane::Shown;
use crate::resolve::Tlsas;

/// Takes any certificate, for encryption against those who only listen (RFC 7435), or one that TLSA records name. No authority of the system
/// is asked. Signatures are still checked, where the certificate can be read.
#[derive(Debug)]
pub(super) struct WithoutAuthority {
    pub(super) named_by: Option<Arc<Tlsas>>,
    pub(super) provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for WithoutAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(tlsas) = &self.named_by {
            Shown { end_entity, intermediates }.verify(tlsas, now, &self.provider)?;
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let checked = verify_tls12_signature(message, certificate, signature, algorithms);
        if self.named_by.is_some() { checked } else { as_far_as_it_can_be_read(checked, certificate) }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let checked = verify_tls13_signature(message, certificate, signature, algorithms);
        if self.named_by.is_some() { checked } else { as_far_as_it_can_be_read(checked, certificate) }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The signature of a certificate that says nothing to us, whatever it is: one that can't be read, such as one of X.509 version 1, is as good as
/// one of anybody's.
pub(super) fn as_far_as_it_can_be_read(
    checked: Result<HandshakeSignatureValid, Error>,
    certificate: &CertificateDer<'_>,
) -> Result<HandshakeSignatureValid, Error> {
    match webpki::EndEntityCert::try_from(certificate) {
        Ok(_) => checked,
        Err(_) => Ok(HandshakeSignatureValid::assertion()),
    }
}
