//! The limits that an account has of its own, as columns.

use sqlx::sqlite::SqliteRow;
use store::{Corrupt, OwnLimit, OwnLimits};
use types::AccountId;

use crate::row::Columns;

/// How no limit is stored.
pub(super) const UNLIMITED: i64 = -1;

pub(super) fn stored(limit: OwnLimit) -> i64 {
    match limit {
        OwnLimit::AtMost(limit) => limit.into(),
        OwnLimit::Unlimited => UNLIMITED,
    }
}

fn own_limit(stored: i64) -> Option<OwnLimit> {
    match stored {
        UNLIMITED => Some(OwnLimit::Unlimited),
        limit => u32::try_from(limit).ok().map(OwnLimit::AtMost),
    }
}

pub(super) fn own_limits(row: &SqliteRow, account: AccountId) -> Result<OwnLimits, Corrupt> {
    let columns = Columns::of(row, "sending_limits", account);
    Ok(OwnLimits {
        messages_per_hour: columns.maybe("messages_per_hour", own_limit)?,
        messages_per_day: columns.maybe("messages_per_day", own_limit)?,
        recipients_per_hour: columns.maybe("recipients_per_hour", own_limit)?,
        recipients_per_day: columns.maybe("recipients_per_day", own_limit)?,
        new_recipients_per_day: columns.maybe("new_recipients_per_day", own_limit)?,
    })
}
