//! What the DNS answers, in words of its own.

use types::Domain;

use crate::error::DnsError;

/// The records that a name has of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer<T> {
    /// In no order; those that cannot be read are left out.
    pub records: Vec<T>,
    /// Whether DNSSEC proved all of them, and each alias (CNAME) on the way to them (RFC 4035 section 5).
    pub proven: bool,
    /// Where they stand: the name that was asked about, or what its aliases lead to.
    pub name: Domain,
    /// Why there may be more records: of the questions that were asked, one has no answer now.
    pub open: Option<DnsError>,
}

/// Where mail for a domain goes (RFC 5321 section 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mx {
    /// The lowest is tried first.
    pub preference: u16,
    /// A host; `None` is the root, by which a domain says that it takes no mail (RFC 7505).
    pub exchange: Option<Domain>,
}

/// Which certificate or key a server has (RFC 6698 section 2.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tlsa {
    /// How it is checked: 2 is DANE-TA, 3 is DANE-EE.
    pub usage: u8,
    /// Of what: 0 is the whole certificate, 1 its key.
    pub selector: u8,
    /// How it is compared: 0 as it is, 1 by SHA-256, 2 by SHA-512.
    pub matching: u8,
    /// The certificate, the key, or the digest.
    pub data: Vec<u8>,
}

/// Where a service is (RFC 2782).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Srv {
    /// The lowest is tried first.
    pub priority: u16,
    /// The share of those with one priority.
    pub weight: u16,
    /// The TCP or UDP port.
    pub port: u16,
    /// A host; `None` is the root: there is no such service here.
    pub target: Option<Domain>,
}

impl<T> Answer<T> {
    /// The same with other records.
    pub(crate) fn with<U>(self, records: impl FnOnce(Vec<T>) -> Vec<U>) -> Answer<U> {
        Answer { records: records(self.records), proven: self.proven, name: self.name, open: self.open }
    }
}
