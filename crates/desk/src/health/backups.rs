//! The light of backups.

use jiff::{SignedDuration, Timestamp};

use super::condition::{Condition, ConditionKind, Value};

/// A backup a day, with time for it to be made.
const A_DAY: SignedDuration = SignedDuration::from_hours(36);

/// What the light says of the last backup, by when the file that marks it was last changed, or why that can't be told.
#[must_use]
pub fn backups(made_at: &Result<Timestamp, String>, now: Timestamp) -> Condition {
    match made_at {
        Err(why) => Condition::of(ConditionKind::BackupNone).saying("why", why),
        Ok(at) => {
            let is_old = now.duration_since(*at) > A_DAY;
            let kind = if is_old { ConditionKind::BackupOld } else { ConditionKind::BackupGood };
            Condition::of(kind).with("at", Value::Time(*at))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_made_every_day() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        let kind = |hours| backups(&Ok(now - SignedDuration::from_hours(hours)), now).kind;
        assert_eq!(kind(36), ConditionKind::BackupGood);
        assert_eq!(kind(37), ConditionKind::BackupOld);
        assert_eq!(backups(&Err("no such file".to_owned()), now).kind, ConditionKind::BackupNone);
    }
}
