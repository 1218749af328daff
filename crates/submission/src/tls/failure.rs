//! Why there was no agreement on TLS, in words that tell the operator what to do (docs/operations.md).

use std::fmt;
use std::io;

use rustls::{AlertDescription, Error, PeerIncompatible};

use super::client_hello::newest_version;

/// A TLS connection that came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) struct TlsFailure {
    /// What rustls says.
    error: Error,
    /// The client spoke in clear.
    in_clear: bool,
    /// The newest version that the client offered, if it was its hello that could not be taken.
    offered: Option<&'static str>,
}

impl TlsFailure {
    /// What went wrong with these octets of the client.
    pub(crate) fn at(records: &[u8], error: Error) -> Self {
        let in_clear =
            records.first().is_some_and(|octet| octet.is_ascii_graphic() || octet.is_ascii_whitespace());
        Self { error, in_clear, offered: newest_version(records) }
    }

    fn code(&self) -> &'static str {
        match &self.error {
            Error::AlertReceived(alert) => alert_name(*alert),
            Error::PeerIncompatible(flaw) if is_of_version(flaw) || self.offers_old_versions() => "version",
            Error::PeerIncompatible(_) => "nothing-in-common",
            Error::NoApplicationProtocol => "other-protocol",
            Error::InvalidCertificate(_) => "client-certificate",
            _ if self.in_clear => "in-clear",
            _ => "malformed",
        }
    }

    /// Whether none of the versions that are spoken here is offered. rustls may miss something else first, such as the signature
    /// algorithms, which a hello of TLS 1.1 can't have.
    fn offers_old_versions(&self) -> bool {
        matches!(self.offered, Some("SSLv3" | "TLSv1.0" | "TLSv1.1"))
    }
}

impl From<Error> for TlsFailure {
    fn from(error: Error) -> Self {
        Self { error, in_clear: false, offered: None }
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// What the log says of a failure: `tls.failure` and `tls.offered`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) failure: &'static str,
    pub(crate) offered: Option<&'static str>,
}

impl Told {
    /// The client began TLS where STARTTLS has to come first.
    pub(crate) const TOO_EARLY: Told = Told { failure: "no-starttls", offered: None };

    /// What is told of a handshake that ended with `error`.
    pub(crate) fn of(error: &io::Error) -> Self {
        let failure = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsFailure>());
        match failure {
            Some(failure) => Self { failure: failure.code(), offered: failure.offered },
            None if error.kind() == io::ErrorKind::InvalidData => {
                Self { failure: "malformed", offered: None }
            }
            // The end of the connection, in one way or another.
            None => Self { failure: "closed", offered: None },
        }
    }
}

/// Whether `octets`, the first of a connection in clear, are the beginning of TLS.
pub(crate) fn is_hello(octets: &[u8]) -> bool {
    // A record of a handshake (RFC 8446 section 5.1).
    octets.starts_with(&[22, 3])
}

fn is_of_version(flaw: &PeerIncompatible) -> bool {
    matches!(
        flaw,
        PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
    )
}

/// The client's alert as RFC 8446 section 6 spells it, those that clients really send.
fn alert_name(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::CloseNotify => "close_notify",
        AlertDescription::UnexpectedMessage => "unexpected_message",
        AlertDescription::HandshakeFailure => "handshake_failure",
        AlertDescription::BadCertificate => "bad_certificate",
        AlertDescription::UnsupportedCertificate => "unsupported_certificate",
        AlertDescription::CertificateRevoked => "certificate_revoked",
        AlertDescription::CertificateExpired => "certificate_expired",
        AlertDescription::CertificateUnknown => "certificate_unknown",
        AlertDescription::IllegalParameter => "illegal_parameter",
        AlertDescription::UnknownCA => "unknown_ca",
        AlertDescription::AccessDenied => "access_denied",
        AlertDescription::DecodeError => "decode_error",
        AlertDescription::DecryptError => "decrypt_error",
        AlertDescription::ProtocolVersion => "protocol_version",
        AlertDescription::InsufficientSecurity => "insufficient_security",
        AlertDescription::InternalError => "internal_error",
        AlertDescription::InappropriateFallback => "inappropriate_fallback",
        AlertDescription::UserCanceled => "user_canceled",
        AlertDescription::UnrecognisedName => "unrecognized_name",
        AlertDescription::NoApplicationProtocol => "no_application_protocol",
        _ => "alert",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::client_hello::tests::hello;

    #[test]
    fn each_kind_of_failure_has_its_word() {
        let told = |records: &[u8], error: Error| {
            Told::of(&io::Error::new(io::ErrorKind::InvalidData, TlsFailure::at(records, error))).failure
        };
        let alert = |alert| told(&[21], Error::AlertReceived(alert));
        assert_eq!(alert(AlertDescription::UnknownCA), "unknown_ca");
        assert_eq!(alert(AlertDescription::CertificateUnknown), "certificate_unknown");
        assert_eq!(told(&[22], PeerIncompatible::Tls12NotOfferedOrEnabled.into()), "version");
        assert_eq!(told(&[22], PeerIncompatible::NoCipherSuitesInCommon.into()), "nothing-in-common");
        let lacks = || PeerIncompatible::SignatureAlgorithmsExtensionRequired.into();
        assert_eq!(told(&hello(0x0302, &[]), lacks()), "version");
        assert_eq!(told(&hello(0x0303, &[]), lacks()), "nothing-in-common");
        assert_eq!(told(b"EHLO", Error::DecryptError), "in-clear");
        assert_eq!(told(&[0], Error::DecryptError), "malformed");
        assert_eq!(Told::of(&io::ErrorKind::UnexpectedEof.into()).failure, "closed");
    }
}
