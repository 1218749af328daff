//! What an operator sees of a server's certificate: the names it is for, and until when it is valid.

use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::time::ASN1Time;

use super::error::TlsError;

/// What a certificate says of itself, for those who look after it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateFacts {
    /// From when on it is no longer valid.
    pub not_after: SystemTime,
    /// The names it is for: DNS names and IP addresses of its subjectAltName (RFC 5280 section 4.2.1.6).
    pub names: Vec<String>,
    own: CertificateDer<'static>,
}

impl CertificateFacts {
    pub(crate) fn read(own: &CertificateDer<'_>) -> Result<Self, TlsError> {
        let (_, parsed) =
            X509Certificate::from_der(own).map_err(|error| TlsError::Certificate(error.to_string()))?;
        let names = parsed
            .subject_alternative_name()
            .ok()
            .flatten()
            .map(|names| names.value.general_names.iter().filter_map(readable).collect())
            .unwrap_or_default();
        Ok(Self { not_after: moment(parsed.validity().not_after), names, own: own.clone().into_owned() })
    }

    /// Whether clients that look for `name` (a domain or an IP address) will find it, wildcards considered.
    #[must_use]
    pub fn covers(&self, name: &str) -> bool {
        let Ok(name) = ServerName::try_from(name) else { return false };
        ParsedCertificate::try_from(&self.own)
            .is_ok_and(|parsed| rustls::client::verify_server_name(&parsed, &name).is_ok())
    }
}

fn readable(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(octets) => address(octets),
        _ => None,
    }
}

fn address(octets: &[u8]) -> Option<String> {
    let v4 = <[u8; 4]>::try_from(octets).map(IpAddr::from);
    v4.or_else(|_| <[u8; 16]>::try_from(octets).map(IpAddr::from)).ok().map(|ip| ip.to_string())
}

/// A moment of a certificate. None is before 1970 that would make a difference.
pub(crate) fn moment(time: ASN1Time) -> SystemTime {
    u64::try_from(time.timestamp()).map_or(UNIX_EPOCH, |seconds| UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str) -> CertificateFacts {
        let made = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
        CertificateFacts::read(made.cert.der()).unwrap()
    }

    #[test]
    fn facts_name_what_the_certificate_covers() {
        let facts = facts("*.example.test");
        assert_eq!(facts.names, ["*.example.test"]);
        assert!(facts.covers("mail.example.test"));
        assert!(!facts.covers("example.test"));
        assert!(!facts.covers("not a name"));
        assert!(facts.not_after > UNIX_EPOCH + Duration::from_secs(1_800_000_000));
    }

    #[test]
    fn addresses_are_names_too() {
        let facts = facts("192.0.2.1");
        assert_eq!(facts.names, ["192.0.2.1"]);
        assert!(facts.covers("192.0.2.1"));
    }
}
