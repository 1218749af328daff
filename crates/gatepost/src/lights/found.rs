//! What is found without asking anybody: certificate, mark of backups; and how an error is told.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use delivery::TroubledDestination;
use desk::health::{self, CertificateFacts, Condition, ConditionKind};
use desk::view::{CertificateStatus, DestinationStatus};
use jiff::Timestamp;
use store::SpoolError;

use super::meant::Meant;

/// What the light says of the certificate that listeners show.
pub(super) fn certificate(meant: &Meant, now: Timestamp) -> Condition {
    let Some(identity) = &meant.identity else { return Condition::of(ConditionKind::CertificateNone) };
    let Ok(facts) = identity.facts() else { return Condition::of(ConditionKind::CertificateUnread) };
    let Ok(not_after) = Timestamp::try_from(facts.not_after) else {
        return Condition::of(ConditionKind::CertificateUnread);
    };
    let not_for = meant.names.iter().find(|name| !facts.covers(name)).cloned();
    health::certificate(&CertificateFacts { not_after, not_for }, now)
}

/// The same, in figures.
pub(super) fn certificate_status(meant: &Meant) -> Option<CertificateStatus> {
    let facts = meant.identity.as_ref()?.facts().ok()?;
    Some(CertificateStatus { not_after: Timestamp::try_from(facts.not_after).ok()?, names: facts.names })
}

/// A destination that does not answer.
pub(super) fn destination(
    TroubledDestination { destination, tried_at, reply }: TroubledDestination,
) -> DestinationStatus {
    DestinationStatus { destination, tried_at, reply }
}

/// What the light says of the file that marks backups.
pub(super) fn backups(stamp: &Path, now: Timestamp) -> Condition {
    let made = std::fs::metadata(stamp).and_then(|found| found.modified());
    let made = made.map_err(|error| format!("{}: {error}", stamp.display()));
    health::backups(&made.and_then(|at| Timestamp::try_from(at).map_err(|error| error.to_string())), now)
}

/// What is said of something that did not answer in this time.
pub(super) fn late(patience: Duration) -> String {
    format!("no answer in {} seconds", patience.as_secs())
}

/// An error with its causes.
pub(super) fn told(error: &SpoolError) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    told
}
