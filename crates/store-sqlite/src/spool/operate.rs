//! What operators and recovery do to entries.

use jiff::Timestamp;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};
use types::QueueId;

/// A change of entries.
#[derive(Debug)]
pub(super) enum Change {
    Hold(QueueId),
    Release(QueueId, Timestamp),
    Retry(QueueId, Timestamp),
    Remove(QueueId),
    Quarantine(QueueId, String),
    /// Ends the leases of an owner.
    ReleaseOwner(String),
    /// Ends all leases: at the start of the server, whoever had them is dead.
    ReleaseAll,
}

type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// When an entry is to be looked at, if nobody holds a lease.
macro_rules! due {
    () => {
        "CASE WHEN held THEN NULL ELSE \
         (SELECT min(next_attempt_at) FROM recipients WHERE recipients.entry = entries.id) END"
    };
}
pub(super) use due;

/// Sets when the entry is to be looked at, after a change of its recipients or of its hold. One that is being delivered
/// stays with its owner.
const SET_DUE: &str = concat!(
    "UPDATE entries SET due_at = CASE WHEN lease_owner IS NULL THEN ",
    due!(),
    " ELSE due_at END WHERE id = $1"
);
const HOLD: &str = "UPDATE entries SET held = 1 WHERE id = $1";
const UNHOLD: &str = "UPDATE entries SET held = 0 WHERE id = $1";
const QUARANTINE: &str = "UPDATE entries SET held = 1, due_at = NULL, lease_owner = NULL WHERE id = $1";
const REMOVE: &str = "DELETE FROM entries WHERE id = $1";
const REMOVE_RECIPIENTS: &str = "DELETE FROM recipients WHERE entry = $1";
const HURRY: &str = "UPDATE recipients SET next_attempt_at = $2, \
     state = CASE WHEN state <> 'held' THEN state WHEN attempts = 0 THEN 'queued' ELSE 'deferred' END \
     WHERE entry = $1 AND state IN ('queued', 'deferred', 'held')";
const RETRY: &str = "UPDATE recipients SET next_attempt_at = $2, \
     state = CASE state WHEN 'failed' THEN 'deferred' ELSE state END WHERE entry = $1 AND state NOT IN ('delivered', 'held')";
const TELL: &str = "UPDATE recipients SET last_reply = $2 WHERE entry = $1 AND state <> 'delivered'";
const RELEASE_OWNER: &str = concat!(
    "UPDATE entries SET lease_owner = NULL, due_at = ",
    due!(),
    " WHERE due_at IS NOT NULL AND lease_owner = $1"
);
const RELEASE_ALL: &str = concat!(
    "UPDATE entries SET lease_owner = NULL, due_at = ",
    due!(),
    " WHERE due_at IS NOT NULL AND lease_owner IS NOT NULL"
);

/// Whether there was such an entry.
pub(super) async fn write(connection: &mut SqliteConnection, change: &Change) -> Result<bool, sqlx::Error> {
    let mut affected = 0;
    for statement in change.statements() {
        affected = statement.execute(&mut *connection).await?.rows_affected();
    }
    Ok(affected > 0)
}

impl Change {
    /// What to run, in this order. The last one touches the entry itself.
    fn statements(&self) -> Vec<Query> {
        match self {
            Change::Hold(id) => vec![on(*id, HOLD), on(*id, SET_DUE)],
            Change::Release(id, now) => {
                vec![on(*id, HURRY).bind(now.as_millisecond()), on(*id, UNHOLD), on(*id, SET_DUE)]
            }
            Change::Retry(id, now) => vec![on(*id, RETRY).bind(now.as_millisecond()), on(*id, SET_DUE)],
            Change::Remove(id) => vec![on(*id, REMOVE_RECIPIENTS), on(*id, REMOVE)],
            Change::Quarantine(id, reason) => vec![on(*id, TELL).bind(reason.clone()), on(*id, QUARANTINE)],
            Change::ReleaseOwner(owner) => vec![sqlx::query(RELEASE_OWNER).bind(owner.clone())],
            Change::ReleaseAll => vec![sqlx::query(RELEASE_ALL)],
        }
    }
}

fn on(id: QueueId, sql: &'static str) -> Query {
    sqlx::query(sql).bind(id.as_bytes().to_vec())
}
