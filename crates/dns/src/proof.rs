//! Whether the name servers pass on what it takes to prove an answer.
//!
//! A name server that strips signatures makes every answer look forged. So before signatures are asked for, the root's own are: if those
//! can be proved, a missing signature is a fault of the answer. If not, answers are taken as they come, and count as unproven. Once they
//! could be proved, that stays so: nobody gets around DNSSEC by stripping signatures later. Name servers that are not reached have passed on
//! nothing, with signatures or without, and are tried again soon.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hickory_resolver::net::NetError;
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::rr::{Name, Record, RecordType};
use tokio::time::Instant;

use crate::servers::NameServers;

/// When name servers that passed on no signatures are tried again.
const AGAIN: Duration = Duration::from_secs(600);
/// When name servers that were not reached are tried again.
const SOON: Duration = Duration::from_secs(5);

/// What is known about the name servers.
#[derive(Debug, Default)]
pub(crate) struct Signatures(Mutex<Known>);

#[derive(Clone, Copy, Debug, Default)]
enum Known {
    #[default]
    Nothing,
    PassedOn,
    /// An answer came without them then.
    Missing(Instant),
    /// No answer came then.
    NotReached(Instant),
}

impl Signatures {
    /// Whether answers can be proved, as far as is known; asks about the root if it isn't.
    pub(crate) async fn are_passed_on(&self, validating: &NameServers) -> bool {
        let known = *self.known();
        match known {
            Known::PassedOn => true,
            Known::Missing(since) if since.elapsed() < AGAIN => false,
            Known::NotReached(since) if since.elapsed() < SOON => false,
            Known::Nothing | Known::Missing(_) | Known::NotReached(_) => {
                self.note(of_the_root(validating).await)
            }
        }
    }

    /// Whether they are passed on, as was found just now.
    fn note(&self, found: Known) -> bool {
        let mut known = self.known();
        if matches!((*known, found), (Known::Nothing | Known::NotReached(_), Known::Missing(_))) {
            tracing::warn!(
                event = "dns.unproven",
                "the name servers pass on no DNSSEC signatures of the root, or no right ones: DNS answers are taken unproven, and DANE \
                 is not used; let [dns] servers name one that does"
            );
        }
        if !matches!(*known, Known::PassedOn) {
            *known = found;
        }
        matches!(found, Known::PassedOn)
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
        Err(NetError::Timeout | NetError::Io(_) | NetError::NoConnections | NetError::Busy) => {
            Known::NotReached(Instant::now())
        }
        Ok(_) | Err(_) => Known::Missing(Instant::now()),
    }
}
