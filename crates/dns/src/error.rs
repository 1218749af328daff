//! Why there is no answer.

use std::fmt;
use std::path::PathBuf;

use hickory_resolver::net::{DnsError as Semantic, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;

/// Why there is no answer to a question. Whoever asked has to tell these apart: what does not exist stays so, and what cannot be had now
/// may be had later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The name does not exist (NXDOMAIN, RFC 8020): nor does any record of it.
    #[error("the name {0} does not exist in the DNS")]
    NoSuchName(String),
    /// The name exists and has no records of this kind.
    #[error("{name} has no {kind} record in the DNS")]
    NoSuchRecords {
        /// The name that was asked about.
        name: String,
        /// What was asked for.
        kind: RecordKind,
    },
    /// Aliases (CNAME) lead in a circle, or one to the next for too long.
    #[error("the aliases (CNAME) of {0} in the DNS lead in a circle, or do not end")]
    AliasLoop(String),
    /// There is no answer now: a name server is out of order, slow or not reached.
    #[error("the DNS does not answer about {name} now: {reason}")]
    Temporary {
        /// The name that was asked about.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The answer is not what the owner of the name has signed (RFC 4033 section 5). It may have been forged, or the signatures are
    /// broken or expired.
    #[error("the DNS answer about {0} fails DNSSEC: it is forged, or wrongly signed")]
    Bogus(String),
}

/// Why the DNS cannot be asked at all: for the operator.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The file of trust anchors cannot be used.
    #[error("{} has no DNSKEY records such as `. IN DNSKEY 257 3 8 AwEAAa…`", path.display())]
    TrustAnchors {
        /// The file.
        path: PathBuf,
        /// What was wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No resolver can be made.
    #[error("the DNS cannot be asked")]
    Resolver(#[source] Box<NetError>),
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the records are their explanation")]
pub enum RecordKind {
    Mx,
    A,
    Aaaa,
    Txt,
    Tlsa,
    Srv,
    Ptr,
    Cname,
}

impl From<RecordKind> for RecordType {
    fn from(kind: RecordKind) -> RecordType {
        match kind {
            RecordKind::Mx => RecordType::MX,
            RecordKind::A => RecordType::A,
            RecordKind::Aaaa => RecordType::AAAA,
            RecordKind::Txt => RecordType::TXT,
            RecordKind::Tlsa => RecordType::TLSA,
            RecordKind::Srv => RecordType::SRV,
            RecordKind::Ptr => RecordType::PTR,
            RecordKind::Cname => RecordType::CNAME,
        }
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        RecordType::from(*self).fmt(f)
    }
}

impl DnsError {
    /// Of a question about `name` that hickory has no records for.
    pub(crate) fn of(error: &NetError, name: &str, kind: RecordKind) -> DnsError {
        let name = name.to_owned();
        match error {
            NetError::Dns(Semantic::NoRecordsFound(none)) => negative(none.response_code, name, kind),
            NetError::Dns(Semantic::Nsec { proof, .. }) if proof.is_bogus() => DnsError::Bogus(name),
            NetError::Dns(Semantic::Nsec { response, .. }) => negative(response.response_code, name, kind),
            NetError::Dns(Semantic::DnssecBogus) => DnsError::Bogus(name),
            NetError::Dns(Semantic::ResponseCode(code)) => {
                DnsError::Temporary { name, reason: format!("the name server says {code}") }
            }
            NetError::Timeout => DnsError::out_of_time(name),
            other => DnsError::Temporary { name, reason: other.to_string() },
        }
    }

    pub(crate) fn out_of_time(name: String) -> DnsError {
        DnsError::Temporary { name, reason: "no answer in time".to_owned() }
    }

    /// Whether asking again later may help.
    pub fn is_temporary(&self) -> bool {
        match self {
            DnsError::Temporary { .. } | DnsError::Bogus(_) => true,
            DnsError::NoSuchName(_) | DnsError::NoSuchRecords { .. } | DnsError::AliasLoop(_) => false,
        }
    }
}

fn negative(code: ResponseCode, name: String, kind: RecordKind) -> DnsError {
    if code == ResponseCode::NXDomain {
        DnsError::NoSuchName(name)
    } else {
        DnsError::NoSuchRecords { name, kind }
    }
}
