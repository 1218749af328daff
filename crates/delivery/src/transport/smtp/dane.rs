//! Whether the certificate of a host is one that its TLSA records name (RFC 6698 section 2.1, RFC 7671 section 5, RFC 7672 section 3).

use std::sync::Arc;

use dns::Tlsa;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, TrustAnchor, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, OtherError, RootCertStore};
use sha2::{Digest as _, Sha256, Sha512};
use types::Domain;
use webpki::{EndEntityCert, anchor_from_trusted_cert};

use crate::resolve::Tlsas;

/// What a host has shown that no TLSA record of it names.
#[derive(Debug, thiserror::Error)]
#[error(
    "no TLSA record of {base} names the certificate, which is for {names} and has a key with the SHA-256 digest {digest}"
)]
pub(super) struct NotNamed {
    base: Domain,
    names: String,
    digest: String,
}

/// The chain of certificates that a host has shown.
pub(super) struct Shown<'a> {
    pub(super) end_entity: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
}

impl Shown<'_> {
    /// A record of the certificate itself needs nothing else: neither names nor dates count (RFC 7671 section 5.1). One of an authority needs a
    /// chain up to it, and one of the names (RFC 7672 section 3.1.2); that of the authority itself has no dates.
    pub(super) fn verify(
        &self,
        tlsas: &Tlsas,
        now: UnixTime,
        provider: &CryptoProvider,
    ) -> Result<(), Error> {
        if tlsas.of_certificate().any(|record| names(record, self.end_entity)) {
            return Ok(());
        }
        let roots: Vec<_> = tlsas.of_authority().flat_map(|record| self.anchors(record)).collect();
        if roots.is_empty() {
            return Err(self.not_named(&tlsas.base));
        }
        let certificate = ParsedCertificate::try_from(self.end_entity)?;
        let algorithms = provider.signature_verification_algorithms.all;
        let (roots, intermediates) = (RootCertStore { roots }, self.intermediates);
        verify_server_cert_signed_by_trust_anchor(&certificate, &roots, intermediates, now, algorithms)?;
        has_name(&certificate, tlsas)
    }

    /// Those that a record names, of the authorities that the host has shown; or what the record gives in full, shown or not (RFC 7671
    /// section 5.2.2).
    fn anchors(&self, record: &Tlsa) -> Vec<TrustAnchor<'static>> {
        let shown = self.intermediates.iter().filter(|certificate| names(record, certificate));
        let mut anchors: Vec<_> = shown.filter_map(anchor).collect();
        match (record.matching, record.selector) {
            (0, 0) => anchors.extend(anchor(&record.data.as_slice().into())),
            (0, 1) => anchors.extend(self.issuers().filter_map(|issuer| bare_anchor(&issuer, &record.data))),
            _ => {}
        }
        anchors
    }

    /// Whoever has issued what the host has shown: a key without a name may be that of any of them.
    fn issuers(&self) -> impl Iterator<Item = Vec<u8>> {
        let shown = std::iter::once(self.end_entity).chain(self.intermediates);
        shown.filter_map(|certificate| Some(EndEntityCert::try_from(certificate).ok()?.issuer().to_vec()))
    }

    fn not_named(&self, base: &Domain) -> Error {
        let parsed = EndEntityCert::try_from(self.end_entity);
        let names: Vec<_> = parsed.iter().flat_map(|parsed| parsed.valid_dns_names()).collect();
        let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
        let key = selected(1, self.end_entity).unwrap_or_default();
        let digest = Sha256::digest(key).iter().map(|octet| format!("{octet:02x}")).collect();
        let not_named = NotNamed { base: base.clone(), names, digest };
        CertificateError::Other(OtherError(Arc::new(not_named))).into()
    }
}

/// One of the names is enough.
fn has_name(certificate: &ParsedCertificate<'_>, tlsas: &Tlsas) -> Result<(), Error> {
    let of_base = verify_name(certificate, &tlsas.base);
    if tlsas.also.iter().any(|name| verify_name(certificate, name).is_ok()) { Ok(()) } else { of_base }
}

fn verify_name(certificate: &ParsedCertificate<'_>, name: &Domain) -> Result<(), Error> {
    let name = ServerName::try_from(name.normal()).map_err(|_| CertificateError::NotValidForName)?;
    verify_server_name(certificate, &name)
}

/// Whether the record names this certificate.
fn names(record: &Tlsa, certificate: &CertificateDer<'_>) -> bool {
    let Some(selected) = selected(record.selector, certificate) else { return false };
    match record.matching {
        0 => selected == record.data,
        1 => Sha256::digest(selected).as_slice() == record.data,
        2 => Sha512::digest(selected).as_slice() == record.data,
        _ => false,
    }
}

/// What a record is about (RFC 6698 section 2.1.2): the whole certificate, or its key.
fn selected(selector: u8, certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    match selector {
        0 => Some(certificate.to_vec()),
        1 => Some(EndEntityCert::try_from(certificate).ok()?.subject_public_key_info().to_vec()),
        _ => None,
    }
}

fn anchor(certificate: &CertificateDer<'_>) -> Option<TrustAnchor<'static>> {
    anchor_from_trusted_cert(certificate).ok().map(|anchor| anchor.to_owned())
}

/// An authority of which only the name and the key are known (RFC 7671 section 5.2.3).
fn bare_anchor(name: &[u8], key: &[u8]) -> Option<TrustAnchor<'static>> {
    let (subject, key) = (name.to_vec().into(), within_sequence(key)?.to_vec().into());
    Some(TrustAnchor { subject, subject_public_key_info: key, name_constraints: None })
}

/// What is within a SEQUENCE of DER of less than 64 KiB: the tag and the length left out.
fn within_sequence(der: &[u8]) -> Option<&[u8]> {
    match der {
        [0x30, 0x81, _, within @ ..] | [0x30, 0x82, _, _, within @ ..] => Some(within),
        [0x30, 0..=0x7f, within @ ..] => Some(within),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
