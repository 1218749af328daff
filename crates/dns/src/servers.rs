//! The name servers, asked together, and singly where one of them spoils it for the others.

use hickory_resolver::TokioResolver;
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::{DnsError as Semantic, NetError};
use hickory_resolver::proto::rr::{Name, RecordType};

use crate::error::{DnsError, RecordKind};

/// The name servers that are asked.
#[derive(Debug)]
pub(crate) struct NameServers {
    /// Asks several at once. The first that replies counts, even if it replies that it does not want to, or can't, as soon as it is asked.
    together: TokioResolver,
    /// Each asks one; none if there is but one.
    singly: Vec<TokioResolver>,
    /// Whether signatures are checked.
    validate: bool,
}

impl NameServers {
    pub(crate) fn new(together: TokioResolver, singly: Vec<TokioResolver>, validate: bool) -> NameServers {
        NameServers { together, singly, validate }
    }

    /// Whether their answers are checked by the signatures.
    pub(crate) fn validate(&self) -> bool {
        self.validate
    }

    /// What is wrong when there is an answer, and none of its records is what was asked for.
    pub(crate) fn unread(&self, name: &str, kind: RecordKind) -> DnsError {
        let name = name.to_owned();
        if self.validate { DnsError::Bogus(name) } else { DnsError::NoSuchRecords { name, kind } }
    }

    /// Asks until one has answered; as resolv.conf(5) has it, one server stands in for another.
    pub(crate) async fn lookup(&self, name: Name, kind: RecordType) -> Result<Lookup, NetError> {
        let first = self.together.lookup(name.clone(), kind).await;
        if is_answer(&first) {
            return first;
        }
        for server in &self.singly {
            let answer = server.lookup(name.clone(), kind).await;
            if is_answer(&answer) {
                return answer;
            }
        }
        first
    }
}

/// Whether another server would say the same: there are records, or it is known that there are none.
fn is_answer(found: &Result<Lookup, NetError>) -> bool {
    match found {
        Ok(_) | Err(NetError::Dns(Semantic::NoRecordsFound(_))) => true,
        Err(NetError::Dns(Semantic::Nsec { proof, .. })) => !proof.is_bogus(),
        Err(_) => false,
    }
}
