//! Whether the name servers pass on what it takes to prove an answer.
//!
//! A name server that strips signatures makes every answer look forged. So before signatures are asked for, the root's own are: if those
//! can be proved, a missing signature is a fault of the answer. If not, answers are taken as they come, and count as unproven. Once they
//! could be proved, that stays so: nobody gets around DNSSEC by stripping signatures later.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::dnssec::Proof;
use hickory_resolver::proto::rr::{Name, RecordType};

/// When name servers that passed on no signatures are tried again.
const AGAIN: Duration = Duration::from_secs(600);

/// What is known about the name servers.
#[derive(Debug, Default)]
pub(crate) struct Signatures(Mutex<Known>);

#[derive(Clone, Copy, Debug, Default)]
enum Known {
    #[default]
    Nothing,
    PassedOn,
    Missing(Instant),
}

impl Signatures {
    /// Whether answers can be proved, as far as is known; asks about the root if it isn't.
    pub(crate) async fn are_passed_on(&self, validating: &TokioResolver) -> bool {
        match self.known() {
            Known::PassedOn => true,
            Known::Missing(since) if since.elapsed() < AGAIN => false,
            Known::Nothing | Known::Missing(_) => self.found(of_the_root(validating).await),
        }
    }

    fn found(&self, passed_on: bool) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = matches!(*known, Known::Nothing);
        if !passed_on && first {
            tracing::warn!(
                event = "dns.unproven",
                "the name servers pass on no DNSSEC signatures of the root, or no right ones: DNS answers are taken unproven, and DANE \
                 is not used; let [dns] servers name one that does"
            );
        }
        if !matches!(*known, Known::PassedOn) {
            *known = if passed_on { Known::PassedOn } else { Known::Missing(Instant::now()) };
        }
        passed_on
    }

    fn known(&self) -> Known {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn of_the_root(validating: &TokioResolver) -> bool {
    let found = validating.lookup(Name::root(), RecordType::SOA).await;
    found.is_ok_and(|found| {
        found
            .answers()
            .iter()
            .any(|record| record.record_type() == RecordType::SOA && record.proof == Proof::Secure)
    })
}
