//! The records in which a host names its certificate (RFC 6698).

use dns::Tlsa;
use types::Domain;

/// Usages of RFC 7671 section 5 that mean something between mail hosts (RFC 7672 section 3.1): the certificate itself, or one above it.
pub(super) const DANE_TA: u8 = 2;
pub(super) const DANE_EE: u8 = 3;

/// The TLSA records of a host that can be used, and the names that go with them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Tlsas {
    /// The TLSA base domain: what the host is called when TLS begins (RFC 7672 section 2.2.3).
    pub(crate) base: Domain,
    /// What else a certificate may be of that is proved by one above it: the domain of the recipients (section 3.2.2).
    pub(crate) also: Vec<Domain>,
    /// Never empty. Sorted, so that the same records are the same demand.
    pub(crate) records: Vec<Tlsa>,
}

impl Tlsas {
    /// Records of the usage DANE-EE: of the certificate itself, or its key.
    pub(crate) fn of_certificate(&self) -> impl Iterator<Item = &Tlsa> {
        self.records.iter().filter(|record| record.usage == DANE_EE)
    }

    /// Records of the usage DANE-TA: of a certificate above it, or the key of one.
    pub(crate) fn of_authority(&self) -> impl Iterator<Item = &Tlsa> {
        self.records.iter().filter(|record| record.usage == DANE_TA)
    }
}
