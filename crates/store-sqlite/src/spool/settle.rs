//! What leaves the queue: an entry that everybody has, and the message of one that nothing is left to be done for.

use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};
use types::QueueId;

use super::change::on;
use crate::row::octets;

/// What left the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Nothing: somebody waits for the message, or nobody was told of a failure.
    Nothing,
    /// The message; its entry is still shown if it failed for somebody.
    Message,
}

/// What of an entry is furthest from being done: 0 if it was delivered, 1 if it failed and that was told, 2 otherwise.
const FURTHEST: &str = "SELECT max(CASE WHEN state = 'delivered' THEN 0 WHEN state = 'failed' AND told THEN 1 ELSE 2 END) \
     FROM recipients WHERE entry = $1";

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
        Some(_) | None => return Ok(Left::Nothing),
    };
    for statement in statements {
        statement.execute(&mut *connection).await?;
    }
    Ok(Left::Message)
}

/// Entries that are forgotten in one transaction.
const TOGETHER: u32 = 500;
const OLD: &str = "DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE settled_at < $1 ORDER BY settled_at LIMIT $2) \
     RETURNING id";

/// Forgets entries that were settled before then; whether there may be more.
pub(super) async fn forget(
    connection: &mut SqliteConnection,
    before: Timestamp,
) -> Result<bool, sqlx::Error> {
    let old =
        sqlx::query(OLD).bind(before.as_millisecond()).bind(TOGETHER).fetch_all(&mut *connection).await?;
    for row in &old {
        if let Some(id) = octets(row.try_get("id")?).map(QueueId::from_bytes) {
            on(id, REMOVE_RECIPIENTS).execute(&mut *connection).await?;
        }
    }
    Ok(u32::try_from(old.len()).is_ok_and(|forgotten| forgotten == TOGETHER))
}
