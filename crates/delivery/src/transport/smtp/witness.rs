//! Whoever is told how TLS went with a mail host, and counts it for the reports that its domain wants to have (RFC 8460).

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use store::{TlsFailure, TlsFailureKind};
use tokio::net::TcpStream;

use super::trouble::Trouble;
use crate::resolve::{Accounting, NOT_NAMED};
use crate::tls_tally::TlsTally;

/// Counts sessions with one host.
pub(super) struct Witness {
    pub(super) tally: Arc<TlsTally>,
    pub(super) accounting: Accounting,
    pub(super) host: String,
    /// What was wrong with a certificate that was taken all the same.
    pub(super) found: Found,
}

/// What a [`Watching`] verifier has found.
pub(super) type Found = Arc<Mutex<Option<Error>>>;

/// Between which addresses a session is.
#[derive(Clone, Copy, Default)]
pub(super) struct Ends {
    ours: Option<SocketAddr>,
    theirs: Option<SocketAddr>,
}

impl Ends {
    pub(super) fn of(stream: &TcpStream) -> Ends {
        Ends { ours: stream.local_addr().ok(), theirs: stream.peer_addr().ok() }
    }
}

impl Witness {
    /// Counts a session, if TLS has come about in it, or has not, be it that nothing more came at STARTTLS.
    pub(super) fn tell(&self, ends: Ends, came: Result<(), &Trouble>) {
        let failure = match came {
            Err(trouble) if !trouble.is_about_tls() && !trouble.is_before_tls() => return,
            Err(trouble) => Some((self.kind(trouble), trouble.to_string())),
            Ok(()) => self.wrong_all_the_same(),
        };
        let ip =
            |end: Option<SocketAddr>| end.map(|end| end.ip().to_canonical().to_string()).unwrap_or_default();
        let failure = failure.map(|(kind, reason)| TlsFailure {
            kind,
            host: self.host.clone(),
            ip: ip(ends.theirs),
            sent_from: ip(ends.ours),
            reason,
        });
        for result in self.accounting.results(failure) {
            self.tally.note(result);
        }
    }

    /// What a policy that is only tested would have kept mail from.
    fn wrong_all_the_same(&self) -> Option<(TlsFailureKind, String)> {
        if !self.accounting.is_named {
            return Some((TlsFailureKind::Validation, NOT_NAMED.to_owned()));
        }
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner).take();
        found.map(|error| (kind_of(&error), error.to_string()))
    }

    fn kind(&self, trouble: &Trouble) -> TlsFailureKind {
        let Trouble::Tls(error) = trouble else { return TlsFailureKind::NotSupported };
        let error = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        match error {
            _ if self.accounting.is_dane() => TlsFailureKind::TlsaInvalid,
            Some(error) => kind_of(error),
            None => TlsFailureKind::Validation,
        }
    }
}

fn kind_of(error: &Error) -> TlsFailureKind {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what rustls can say grows, and has no type of its own"
    )]
    match error {
        Error::InvalidCertificate(
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. },
        ) => TlsFailureKind::Expired,
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => TlsFailureKind::HostMismatch,
        Error::InvalidCertificate(CertificateError::UnknownIssuer) => TlsFailureKind::NotTrusted,
        _ => TlsFailureKind::Validation,
    }
}

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
        self.verifier.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
