//! A record, as a test writes it.

use std::net::IpAddr;

use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, PTR, SRV, TLSA, TXT};
use hickory_resolver::proto::rr::{Name, RData};

/// A record. Names are absolute, without a dot at the end; `.` is the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A mail host and its preference.
    Mx(u16, String),
    /// An address of either family.
    Address(IpAddr),
    /// Another name for it.
    Alias(String),
    /// A text, of strings of at most 255 octets.
    Txt(Vec<String>),
    /// Usage, selector, matching type, data.
    Tlsa(u8, u8, u8, Vec<u8>),
    /// Priority, weight, port, host.
    Srv(u16, u16, u16, String),
    /// The name of an address.
    Ptr(String),
}

impl Entry {
    /// A mail host and its preference.
    pub fn mx(preference: u16, host: &str) -> Entry {
        Entry::Mx(preference, host.to_owned())
    }

    /// An address of either family.
    pub fn address(address: &str) -> Entry {
        Entry::Address(address.parse().unwrap())
    }

    /// Another name for it.
    pub fn alias(name: &str) -> Entry {
        Entry::Alias(name.to_owned())
    }

    /// A text of one string.
    pub fn txt(text: &str) -> Entry {
        Entry::Txt(vec![text.to_owned()])
    }

    pub(super) fn data(&self) -> RData {
        match self {
            Entry::Mx(preference, host) => RData::MX(MX::new(*preference, name(host))),
            Entry::Address(IpAddr::V4(address)) => RData::A(A::from(*address)),
            Entry::Address(IpAddr::V6(address)) => RData::AAAA(AAAA::from(*address)),
            Entry::Alias(to) => RData::CNAME(CNAME(name(to))),
            Entry::Txt(texts) => RData::TXT(TXT::new(texts.clone())),
            Entry::Tlsa(usage, selector, matching, data) => {
                RData::TLSA(TLSA::new((*usage).into(), (*selector).into(), (*matching).into(), data.clone()))
            }
            Entry::Srv(priority, weight, port, host) => {
                RData::SRV(SRV::new(*priority, *weight, *port, name(host)))
            }
            Entry::Ptr(host) => RData::PTR(PTR(name(host))),
        }
    }
}

/// An absolute name.
pub(super) fn name(text: &str) -> Name {
    let mut name = Name::from_ascii(text).unwrap();
    name.set_fqdn(true);
    name
}
