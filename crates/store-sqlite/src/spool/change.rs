//! What recovery does to entries.

use jiff::Timestamp;
use sqlx::sqlite::SqliteArguments;
use sqlx::{Sqlite, SqliteConnection};
use types::QueueId;

/// A change of entries.
#[derive(Debug)]
pub(super) enum Change {
    Quarantine(QueueId, String),
    /// Makes due at `now` what is due after `latest`, unless it may not leave before some time that lies ahead.
    BringForward {
        latest: Timestamp,
        now: Timestamp,
    },
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

const QUARANTINE: &str = "UPDATE entries SET held = 1, due_at = NULL, lease_owner = NULL WHERE id = $1";
const TELL: &str = "UPDATE recipients SET last_reply = $2 WHERE entry = $1 AND state <> 'delivered'";
const RECIPIENTS_FORWARD: &str = "UPDATE recipients SET next_attempt_at = $2 WHERE next_attempt_at > $1 \
     AND entry IN (SELECT id FROM entries WHERE due_at > $1 AND (not_before IS NULL OR not_before <= $2))";
const ENTRIES_FORWARD: &str =
    concat!("UPDATE entries SET lease_owner = NULL, due_at = ", due!(), " WHERE due_at > $1");
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

pub(super) async fn write(connection: &mut SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
    for statement in change.statements() {
        statement.execute(&mut *connection).await?;
    }
    Ok(())
}

impl Change {
    /// What to run, in this order.
    fn statements(&self) -> Vec<Query> {
        match self {
            Change::Quarantine(id, reason) => vec![on(*id, TELL).bind(reason.clone()), on(*id, QUARANTINE)],
            Change::BringForward { latest, now } => {
                let of = |sql| sqlx::query(sql).bind(latest.as_millisecond());
                vec![of(RECIPIENTS_FORWARD).bind(now.as_millisecond()), of(ENTRIES_FORWARD)]
            }
            Change::ReleaseOwner(owner) => vec![sqlx::query(RELEASE_OWNER).bind(owner.clone())],
            Change::ReleaseAll => vec![sqlx::query(RELEASE_ALL)],
        }
    }
}

/// A statement about one entry, whose id is its first parameter.
pub(super) fn on(id: QueueId, sql: &'static str) -> Query {
    sqlx::query(sql).bind(id.as_bytes().to_vec())
}
