//! A verifier of certificates that only watches, for policies that are tested and not yet enforced (RFC 8461 section 5).

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::without_authority::as_far_as_it_can_be_read;

/// What a [`Watching`] verifier has found.
pub(super) type Found = Arc<Mutex<Option<Error>>>;

/// Takes any certificate, and notes what is wrong with it.
#[derive(Debug)]
pub(super) struct Watching {
    pub(super) verifier: Arc<dyn ServerCertVerifier>,
    pub(super) found: Found,
}

impl ServerCertVerifier for Watching {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.verifier.verify_server_cert(end_entity, intermediates, name, ocsp_response, now);
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = verified.err();
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let checked = self.verifier.verify_tls12_signature(message, certificate, signature);
        as_far_as_it_can_be_read(checked, certificate)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let checked = self.verifier.verify_tls13_signature(message, certificate, signature);
        as_far_as_it_can_be_read(checked, certificate)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
