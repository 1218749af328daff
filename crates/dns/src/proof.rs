//! Whether the name servers pass on what it takes to prove an answer.
//!
//! A name server that strips signatures makes every answer look forged. So before signatures are asked for, the root's own are: if those
//! can be proved, a missing signature is a fault of the answer. If not, answers are taken as they come, and count as unproven. Once they
//! could be proved, that stays so: nobody gets around DNSSEC by stripping signatures later. Name servers that are not reached, or fail, have
//! stripped nothing: until they answer about the root, signatures are asked for, and they are tried again soon.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_resolver::net::{DnsError as Semantic, NetError};
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, Record, RecordType};
use tokio::time::Instant;

use crate::servers::NameServers;

/// When name servers that passed on no signatures are tried again.
const AGAIN: Duration = Duration::from_secs(600);
/// When name servers that were not reached, or failed, are tried again.
const SOON: Duration = Duration::from_secs(5);

/// What is known about the name servers.
#[derive(Debug, Default)]
pub(crate) struct Signatures(Mutex<Known>);

#[derive(Clone, Copy, Debug, Default)]
enum Known {
    #[default]
    Nothing,
    PassedOn,
    /// The last answer came without them; the root was last asked about then.
    Missing(Instant),
    /// No answer came then, or that there is none now.
    Unanswered(Instant),
}

impl Signatures {
    /// Whether answers can be proved, as far as is known; asks about the root if it isn't.
    pub(crate) async fn are_passed_on(&self, validating: &NameServers) -> bool {
        matches!(self.found(validating).await, Known::PassedOn)
    }

    /// Whether it is known that answers come without them; asks about the root if nothing is known.
    pub(crate) async fn are_missing(&self, validating: &NameServers) -> bool {
        matches!(self.found(validating).await, Known::Missing(_))
    }

    async fn found(&self, validating: &NameServers) -> Known {
        let known = *self.known();
        match known {
            Known::PassedOn => known,
            Known::Missing(since) if since.elapsed() < AGAIN => known,
            Known::Unanswered(since) if since.elapsed() < SOON => known,
            Known::Nothing | Known::Missing(_) | Known::Unanswered(_) => {
                self.note(of_the_root(validating).await)
            }
        }
    }

    /// What is known now that this was found. That signatures are passed on stays so, and that they are missing does until there is an answer.
    fn note(&self, found: Known) -> Known {
        let mut known = self.known();
        if matches!((*known, found), (Known::Nothing | Known::Unanswered(_), Known::Missing(_))) {
            tracing::warn!(
                event = "dns.unproven",
                "the name servers pass on no DNSSEC signatures of the root, or no right ones: DNS answers are taken unproven, and DANE \
                 is not used; let [dns] servers name one that does"
            );
        }
        *known = match (*known, found) {
            (Known::PassedOn, _) => Known::PassedOn,
            (Known::Missing(_), Known::Unanswered(now)) => Known::Missing(now),
            (Known::Nothing | Known::Missing(_) | Known::Unanswered(_), found) => found,
        };
        *known
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn of_the_root(validating: &NameServers) -> Known {
    let is_proven =
        |record: &Record| record.record_type() == RecordType::SOA && record.proof == Proof::Secure;
    match validating.lookup(Name::root(), RecordType::SOA).await {
        Ok(found) if found.answers().iter().any(is_proven) => Known::PassedOn,
        Err(error) if !is_answer(&error) => Known::Unanswered(Instant::now()),
        Ok(_) | Err(_) => Known::Missing(Instant::now()),
    }
}

/// Whether the name servers answered, if not what was hoped for: without signatures, without the record, or that they know nothing of the
/// extension that signatures are asked for by (EDNS, RFC 6891 section 7).
fn is_answer(error: &NetError) -> bool {
    let NetError::Dns(error) = error else { return false };
    if let Semantic::ResponseCode(code) = error {
        return [ResponseCode::FormErr, ResponseCode::NotImp, ResponseCode::BADVERS].contains(code);
    }
    matches!(error, Semantic::NoRecordsFound(_) | Semantic::Nsec { .. } | Semantic::DnssecBogus)
}
