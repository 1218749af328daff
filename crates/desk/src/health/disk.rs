//! The light of the disk.

use std::time::Duration;

use super::condition::{Condition, ConditionKind, Value};

/// So little is to be looked at, however large the disk is.
const LITTLE: u64 = 1_000_000_000;

/// So slow a commit is to be looked at: clients wait for one at the end of each message.
const SLOW: Duration = Duration::from_millis(500);

/// What was found of the disk that the store lies on.
#[derive(Debug, Clone, Copy)]
pub struct DiskFacts {
    /// Octets that may still be written.
    pub free: u64,
    /// Octets in all.
    pub total: u64,
    /// Whether there is hardly room for a message.
    pub is_full: bool,
    /// How long it took to write to the store, with the syncs; `None` if that failed.
    pub commit: Option<Duration>,
}

/// What the light says of the disk.
#[must_use]
pub fn disk(facts: &DiskFacts) -> Condition {
    let DiskFacts { free, total, is_full, commit } = *facts;
    let room =
        |kind| Condition::of(kind).with("free", Value::Octets(free)).with("total", Value::Octets(total));
    let ms = commit.unwrap_or_default().as_millis();
    let timed =
        |condition: Condition| condition.with("ms", Value::Number(u64::try_from(ms).unwrap_or(u64::MAX)));
    // A twentieth of a small disk, such as one of a few hundred megabytes, is more than one that is always short.
    if is_full {
        room(ConditionKind::DiskFull)
    } else if free < LITTLE.min(total / 20) {
        room(ConditionKind::DiskShort)
    } else if commit.is_some_and(|commit| commit >= SLOW) {
        timed(Condition::of(ConditionKind::DiskSlow))
    } else {
        timed(room(ConditionKind::DiskGood))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_counts_before_speed() {
        let kind = |free, total, ms| {
            let commit = Some(Duration::from_millis(ms));
            disk(&DiskFacts { free, total, is_full: false, commit }).kind
        };
        assert_eq!(kind(900_000_000, 100_000_000_000, 900), ConditionKind::DiskShort);
        assert_eq!(kind(2_000_000_000, 100_000_000_000, 900), ConditionKind::DiskSlow);
        assert_eq!(kind(2_000_000_000, 100_000_000_000, 9), ConditionKind::DiskGood);
        assert_eq!(kind(30_000_000, 100_000_000, 9), ConditionKind::DiskGood, "a small one");
        let full = disk(&DiskFacts { free: 1_000_000, total: 100_000_000, is_full: true, commit: None });
        assert_eq!(full.to_string(), "no room for mail: 1 MB of 100 MB are left, and clients are told 452");
    }
}
