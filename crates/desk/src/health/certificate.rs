//! The light of the certificate.

use jiff::{SignedDuration, Timestamp};

use super::condition::{Condition, ConditionKind, Value};

/// Time enough to renew a certificate before clients refuse it.
const EXPIRES_SOON_DAYS: i64 = 21;

/// What was found of the certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFacts {
    /// When it ends.
    pub not_after: Timestamp,
    /// The first name that clients look for and that it is not for.
    pub not_for: Option<String>,
}

/// What the light says of a certificate.
#[must_use]
pub fn certificate(facts: &CertificateFacts, now: Timestamp) -> Condition {
    let CertificateFacts { not_after, not_for } = facts;
    let until = |kind| Condition::of(kind).with("until", Value::Time(*not_after));
    let left = not_after.duration_since(now);
    match not_for {
        _ if left <= SignedDuration::ZERO => until(ConditionKind::CertificateEnded),
        _ if left <= SignedDuration::from_hours(EXPIRES_SOON_DAYS * 24) => {
            until(ConditionKind::CertificateEnds)
        }
        Some(name) => Condition::of(ConditionKind::CertificateName).saying("name", name),
        None => until(ConditionKind::CertificateGood),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_counts_before_its_name() {
        let now: Timestamp = "2026-11-30T00:00:00Z".parse().unwrap();
        let kind = |days: i64, not_for: Option<&str>| {
            let not_after = now + SignedDuration::from_hours(days * 24);
            certificate(&CertificateFacts { not_after, not_for: not_for.map(str::to_owned) }, now).kind
        };
        assert_eq!(kind(0, None), ConditionKind::CertificateEnded);
        assert_eq!(kind(21, Some("a")), ConditionKind::CertificateEnds);
        assert_eq!(kind(22, Some("a")), ConditionKind::CertificateName);
        assert_eq!(kind(22, None), ConditionKind::CertificateGood);
    }
}
