//! What a host has to prove by TLS before mail is handed to it.

use std::fmt;
use std::sync::Arc;

use types::TlsRequired;

use super::tlsas::Tlsas;

/// What TLS has to prove before mail is handed over. Where anything is demanded mail never leaves in the clear, and a connection is used
/// again only for mail that demands the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Demand {
    /// Nothing: TLS if it can be had, and whoever is at the other end (RFC 7435).
    Opportunistic,
    /// That TLS is spoken, by whoever is at the other end: the host has TLSA records, of which none can be used (RFC 7672 section 2.2).
    Encrypted,
    /// The name of the host, by a certificate of an authority that the system trusts (RFC 8461 section 4.1).
    Verified,
    /// A certificate that the TLSA records of the host name (RFC 7672).
    Dane(Arc<Tlsas>),
}

impl Demand {
    /// What the sender of a message makes of it (RFC 8689): with `TLS-Required: No` nothing, with REQUIRETLS the name of the host at least, if DNSSEC
    /// has proved that it `is_proven` to be the right one. `None` if that is not proved by anything.
    pub(super) fn with_wish(self, wish: TlsRequired, is_proven: bool) -> Option<Demand> {
        match (wish, &self) {
            (TlsRequired::No, _) => Some(Demand::Opportunistic),
            (TlsRequired::Unsaid, _) | (TlsRequired::Yes, Demand::Verified | Demand::Dane(_)) => Some(self),
            (TlsRequired::Yes, Demand::Opportunistic | Demand::Encrypted) => {
                is_proven.then_some(Demand::Verified)
            }
        }
    }
}

/// What is demanded, for whoever reads why mail waits.
impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Demand::Opportunistic => f.write_str("no TLS is demanded"),
            Demand::Encrypted => {
                f.write_str("TLS is demanded, since the host has TLSA records, of which none can be used")
            }
            Demand::Verified => f.write_str(
                "TLS is demanded, with a certificate for the name of the host by a known authority",
            ),
            Demand::Dane(tlsas) => {
                write!(
                    f,
                    "TLS is demanded, with a certificate that the TLSA records of {} name (DANE)",
                    tlsas.base
                )
            }
        }
    }
}
