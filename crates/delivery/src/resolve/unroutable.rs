//! Why there is nobody to hand mail to.

use dns::{DnsError, Families};
use esmtp::dialogue::{Enhanced, Reply, Verdict};
use types::Domain;

/// Why there is nobody to hand mail for a destination to, with the codes of RFC 3463, RFC 7504 and RFC 7505.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unroutable {
    #[error("the domain {0} does not exist")]
    NoSuchDomain(String),
    #[error("the domain {0} takes no mail: it says so by a null MX")]
    NullMx(String),
    #[error("{0} has no host that takes mail: neither a usable MX record nor an address")]
    NoHost(String),
    #[error("the mail host {0} does not exist, or has no address")]
    NoAddress(String),
    #[error("the mail host {0} has no IPv4 address, and IPv6 is off here ([delivery.mx] ipv6)")]
    NoIpv4(String),
    #[error(
        "this server is itself the mail host {0}, and has no route of its own for this mail: it would come back"
    )]
    Ourselves(String),
    #[error("the mail host {host} is at {address}, which is {what}: no mail is sent there")]
    Forbidden { host: String, address: std::net::IpAddr, what: &'static str },
    #[error(
        "the sender wants proved TLS alone (REQUIRETLS), and nothing proves that {0} takes mail for the recipient: neither DNSSEC nor MTA-STS"
    )]
    NotProven(String),
    #[error(
        "the sender wants proved TLS alone (REQUIRETLS), and the name servers pass on nothing now by which DNSSEC could prove that {0} takes mail for the recipient"
    )]
    Unprovable(String),
    #[error("{0}")]
    AliasLoop(DnsError),
    #[error("{0}")]
    Temporary(DnsError),
    #[error("{error}")]
    TlsasUnknown { host: String, error: DnsError },
    #[error(
        "the MTA-STS policy of the domain, which it enforces, does not name the mail host {host} but {named}"
    )]
    NotInPolicy { host: String, named: String },
    #[error("the MTA-STS policy of {domain} can't be read from the store: {reason}")]
    PolicyUnknown { domain: String, reason: String },
}

impl Unroutable {
    /// What is wrong with the MX records of a domain. One without any is its own mail host, which is no error.
    pub(super) fn of_domain(domain: &Domain, error: DnsError) -> Unroutable {
        match error {
            DnsError::NoSuchName(_) => Unroutable::NoSuchDomain(domain.to_string()),
            DnsError::NoSuchRecords { .. } => Unroutable::NoHost(domain.to_string()),
            DnsError::AliasLoop(_) => Unroutable::AliasLoop(error),
            DnsError::Temporary { .. } | DnsError::Bogus(_) => Unroutable::Temporary(error),
        }
    }

    /// What is wrong with the addresses of a host.
    pub(super) fn of_host(host: &Domain, asked: Families, error: DnsError) -> Unroutable {
        match error {
            DnsError::NoSuchRecords { .. } if asked == Families::V4 => Unroutable::NoIpv4(host.to_string()),
            DnsError::NoSuchName(_) | DnsError::NoSuchRecords { .. } => {
                Unroutable::NoAddress(host.to_string())
            }
            DnsError::AliasLoop(_) => Unroutable::AliasLoop(error),
            DnsError::Temporary { .. } | DnsError::Bogus(_) => Unroutable::Temporary(error),
        }
    }

    /// A policy may be in force, and the store does not tell.
    pub(super) fn policy_unknown(domain: &Domain, error: &store::Error) -> Unroutable {
        Unroutable::PolicyUnknown { domain: domain.to_string(), reason: error.to_string() }
    }

    /// What it means for the recipients. What the DNS can't tell now, it may tell later.
    pub(crate) fn to_verdict(&self) -> Verdict {
        let (code, enhanced) = match self {
            Unroutable::NoSuchDomain(_) => (550, Enhanced(5, 1, 2)),
            Unroutable::NullMx(_) => (556, Enhanced(5, 1, 10)),
            // RFC 8689 section 4.2.1.
            Unroutable::NotProven(_) => (550, Enhanced(5, 7, 30)),
            Unroutable::NoHost(_) | Unroutable::NoAddress(_) | Unroutable::NoIpv4(_) => {
                (550, Enhanced(5, 4, 4))
            }
            Unroutable::Ourselves(_) | Unroutable::Forbidden { .. } | Unroutable::AliasLoop(_) => {
                (554, Enhanced(5, 4, 6))
            }
            Unroutable::Temporary(_) | Unroutable::TlsasUnknown { .. } | Unroutable::Unprovable(_) => {
                return self.deferred(Enhanced(4, 4, 3));
            }
            Unroutable::NotInPolicy { .. } => return self.deferred(Enhanced(4, 7, 5)),
            Unroutable::PolicyUnknown { .. } => return self.deferred(Enhanced(4, 3, 0)),
        };
        Verdict::Failed(Reply::ours(code, enhanced, self.to_string()))
    }

    fn deferred(&self, enhanced: Enhanced) -> Verdict {
        Verdict::Deferred(Reply::ours(451, enhanced, self.to_string()))
    }
}
