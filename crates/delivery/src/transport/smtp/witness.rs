//! Whoever is told how TLS went with a mail host, and counts it for the reports that its domain wants to have (RFC 8460).

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use rustls::{CertificateError, Error};
use store::{TlsFailure, TlsFailureKind};
use tokio::net::TcpStream;

use super::trouble::Trouble;
use super::watching::Found;
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
