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

/// As [`due`], but an entry that is being delivered stays with its owner.
macro_rules! due_unless_leased {
    () => {
        concat!("CASE WHEN lease_owner IS NULL THEN ", due!(), " ELSE due_at END")
    };
}

/// Whether there was such an entry.
pub(super) async fn write(connection: &mut SqliteConnection, change: &Change) -> Result<bool, sqlx::Error> {
    let (recipients, entries) = change.statements();
    if let Some(recipients) = recipients {
        recipients.execute(&mut *connection).await?;
    }
    Ok(entries.execute(connection).await?.rows_affected() > 0)
}

impl Change {
    /// The change of the recipients, and then that of the entry, which may depend on them.
    fn statements(&self) -> (Option<Query>, Query) {
        match self {
            Change::Hold(id) => (
                None,
                on(*id, "UPDATE entries SET held = 1, due_at = CASE WHEN lease_owner IS NULL THEN NULL ELSE due_at END WHERE id = $1"),
            ),
            Change::Release(id, now) => (
                Some(on(*id, "UPDATE recipients SET next_attempt_at = $2 WHERE entry = $1 AND state IN ('queued', 'deferred')").bind(now.as_millisecond())),
                // The old value of held is what an expression in SET sees.
                on(*id, concat!("UPDATE entries SET held = 0, due_at = CASE WHEN lease_owner IS NULL THEN (SELECT min(next_attempt_at) FROM recipients WHERE recipients.entry = entries.id) ELSE due_at END WHERE id = $1")),
            ),
            Change::Retry(id, now) => (
                Some(on(*id, "UPDATE recipients SET next_attempt_at = $2, state = CASE state WHEN 'failed' THEN 'deferred' ELSE state END WHERE entry = $1 AND state <> 'delivered'").bind(now.as_millisecond())),
                on(*id, concat!("UPDATE entries SET due_at = ", due_unless_leased!(), " WHERE id = $1")),
            ),
            Change::Remove(id) => (
                Some(on(*id, "DELETE FROM recipients WHERE entry = $1")),
                on(*id, "DELETE FROM entries WHERE id = $1"),
            ),
            Change::Quarantine(id, reason) => (
                Some(on(*id, "UPDATE recipients SET last_reply = $2 WHERE entry = $1 AND state <> 'delivered'").bind(reason.clone())),
                on(*id, "UPDATE entries SET held = 1, due_at = NULL, lease_owner = NULL WHERE id = $1"),
            ),
            Change::ReleaseOwner(owner) => (
                None,
                sqlx::query(concat!("UPDATE entries SET lease_owner = NULL, due_at = ", due!(), " WHERE due_at IS NOT NULL AND lease_owner = $1")).bind(owner.clone()),
            ),
            Change::ReleaseAll => (
                None,
                sqlx::query(concat!("UPDATE entries SET lease_owner = NULL, due_at = ", due!(), " WHERE due_at IS NOT NULL AND lease_owner IS NOT NULL")),
            ),
        }
    }
}

fn on(id: QueueId, sql: &'static str) -> Query {
    sqlx::query(sql).bind(id.as_bytes().to_vec())
}
