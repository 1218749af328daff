//! What leaves the queue: an entry that everybody has, and the message of one that nothing is left to be done for.

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection, SqlitePool};
use types::QueueId;

use super::change::on;
use crate::row::octets;

/// What left the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing: somebody waits for the message, or nobody was told of a failure.
    Nothing,
    /// Nothing: its sender is to be told something.
    Untold,
    /// The message; its entry is still shown if it failed for somebody.
    Message,
}

/// What of an entry is furthest from being done: 0 if it was delivered, 1 if it failed and that was told, 3 if there is news of it, 2 otherwise.
const FURTHEST: &str = "SELECT max(CASE WHEN news IS NOT NULL THEN 3 WHEN state = 'delivered' THEN 0 \
     WHEN state = 'failed' AND told THEN 1 ELSE 2 END) FROM recipients WHERE entry = $1";

const REMOVE_ENTRY: &str = "DELETE FROM entries WHERE id = $1";
const REMOVE_RECIPIENTS: &str = "DELETE FROM recipients WHERE entry = $1";
const REMOVE_DELIVERIES: &str = "DELETE FROM deliveries WHERE entry = $1";
const REMOVE_CONTENT: &str = "DELETE FROM contents WHERE number = (SELECT number FROM entries WHERE id = $1)";
/// The time is the second parameter. The file, if there is one, is removed after the commit.
const SETTLE: &str =
    "UPDATE entries SET settled_at = coalesce(settled_at, $2), held = false, in_file = false WHERE id = $1";

/// Lets an entry leave, if everybody has its message, or its message, if nothing is left to be done for anybody.
pub(super) async fn leave(
    connection: &mut SqliteConnection,
    id: QueueId,
    now: Timestamp,
) -> Result<Left, sqlx::Error> {
    let furthest = sqlx::query_scalar::<_, Option<i64>>(FURTHEST).bind(id.as_bytes().to_vec());
    let statements = match furthest.fetch_one(&mut *connection).await? {
        Some(0) => vec![on(id, REMOVE_ENTRY), on(id, REMOVE_RECIPIENTS), on(id, REMOVE_DELIVERIES)],
        Some(1) => {
            vec![on(id, REMOVE_CONTENT), on(id, REMOVE_DELIVERIES), on(id, SETTLE).bind(now.as_millisecond())]
        }
        Some(3) => return Ok(Left::Untold),
        Some(_) | None => return Ok(Left::Nothing),
    };
    for statement in statements {
        statement.execute(&mut *connection).await?;
    }
    Ok(Left::Message)
}

/// Entries that are forgotten in one transaction.
const TOGETHER: u32 = 500;
/// Entries that were settled before a time, and such from `<>` that nobody waits for.
macro_rules! old {
    () => {
        "SELECT id FROM (SELECT id FROM entries WHERE settled_at < $1 UNION ALL \
         SELECT id FROM entries WHERE reverse_path = '<>' AND settled_at IS NULL AND accepted_at < $1 AND NOT held \
         AND NOT EXISTS (SELECT 1 FROM recipients WHERE entry = entries.id AND state NOT IN ('delivered', 'failed')))"
    };
}
const ANY_OLD: &str = concat!("SELECT EXISTS (", old!(), ")");
const OLD: &str = concat!("DELETE FROM entries WHERE id IN (", old!(), " LIMIT $2) RETURNING id, in_file");

/// What was forgotten.
#[derive(Debug, Default)]
pub(super) struct Forgotten {
    /// The entries whose messages are files, which are to be removed after the commit.
    pub(super) in_file: Vec<QueueId>,
    /// Whether there may be more.
    pub(super) more: bool,
}

/// Whether there is an entry that [`forget`] would forget.
pub(super) async fn any_old(readers: &SqlitePool, before: Timestamp) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(ANY_OLD).bind(before.as_millisecond()).fetch_one(readers).await
}

/// Forgets entries that were settled before then, and what came from `<>` before then and is over.
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    before: Timestamp,
) -> Result<Forgotten, sqlx::Error> {
    let old =
        sqlx::query(OLD).bind(before.as_millisecond()).bind(TOGETHER).fetch_all(&mut *connection).await?;
    let mut forgotten =
        Forgotten { more: u32::try_from(old.len()).is_ok_and(|old| old == TOGETHER), ..Forgotten::default() };
    for row in &old {
        let Some(id) = octets(row.try_get("id")?).map(QueueId::from_bytes) else { continue };
        on(id, REMOVE_RECIPIENTS).execute(&mut *connection).await?;
        on(id, REMOVE_DELIVERIES).execute(&mut *connection).await?;
        if row.try_get("in_file")? {
            forgotten.in_file.push(id);
        }
    }
    Ok(forgotten)
}
