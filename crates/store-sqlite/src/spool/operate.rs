//! What operators do to entries, and the note of it that the server tells its log.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use store::{Act, Operated, Operation};
use types::QueueId;

use super::change::{SET_DUE, on};
use super::recent;
use crate::row::{octets, text, time};

/// What is to be done to entries.
#[derive(Debug)]
pub(super) struct Operate {
    pub(super) operation: Operation,
    pub(super) ids: Vec<QueueId>,
    pub(super) act: Act,
}

/// Notes an operation on an entry that somebody waits for, if the condition holds. The time is the second parameter.
macro_rules! note_if {
    ($condition:literal) => {
        concat!(
            "INSERT INTO operations (at, operation, entry, account_address, message_id, done_by) \
             SELECT $2, $3, id, account_address, message_id, $4 FROM entries WHERE id = $1 AND settled_at IS NULL AND ",
            $condition,
            " RETURNING *"
        )
    };
}
const NOTE: &str = note_if!("true");
const NOTE_STOP: &str = note_if!("NOT held");
const NOTE_UNDO: &str = note_if!(
    "NOT held AND not_before > $2 \
     AND NOT EXISTS (SELECT 1 FROM deliveries WHERE entry = $1 AND lease_owner IS NOT NULL) \
     AND NOT EXISTS (SELECT 1 FROM recipients WHERE entry = $1 AND (attempts > 0 OR state <> 'queued'))"
);
const TAKE: &str = "DELETE FROM operations WHERE number IN (SELECT number FROM operations ORDER BY number LIMIT $1) \
                    RETURNING *";

const HOLD: &str = "UPDATE entries SET held = true WHERE id = $1";
const UNHOLD: &str = "UPDATE entries SET held = false WHERE id = $1";
const REMOVE: &str = "DELETE FROM entries WHERE id = $1";
const REMOVE_RECIPIENTS: &str = "DELETE FROM recipients WHERE entry = $1";
const REMOVE_DELIVERIES: &str = "DELETE FROM deliveries WHERE entry = $1";
/// The time is the second parameter.
const HURRY: &str = "UPDATE recipients SET next_attempt_at = \
     (SELECT CASE WHEN not_before > $2 THEN not_before ELSE $2 END FROM entries WHERE id = $1), \
     state = CASE WHEN state <> 'held' THEN state WHEN attempts = 0 THEN 'queued' ELSE 'deferred' END \
     WHERE entry = $1 AND state IN ('queued', 'deferred', 'held')";
/// The time is the second parameter. That somebody failed is no news any more if it is tried again.
const RETRY: &str = "UPDATE recipients SET next_attempt_at = $2, \
     news = CASE state WHEN 'failed' THEN NULL ELSE news END, tell_at = CASE state WHEN 'failed' THEN NULL ELSE tell_at END, \
     state = CASE state WHEN 'failed' THEN 'deferred' ELSE state END WHERE entry = $1 AND state NOT IN ('delivered', 'held')";

/// The time is the second parameter.
const RETURN: &str = "UPDATE recipients SET next_attempt_at = $2, news = NULL, tell_at = NULL, \
     state = CASE WHEN attempts = 0 THEN 'queued' ELSE 'deferred' END \
     WHERE entry = $1 AND state <> 'delivered' AND NOT (state = 'failed' AND told)";
const END: &str = "UPDATE entries SET returned = true, held = false WHERE id = $1";
const END_LEASES: &str = "UPDATE deliveries SET lease_owner = NULL WHERE entry = $1";

/// Does it to those entries that there are, and says which.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    wanted: &Operate,
) -> Result<Vec<Operated>, sqlx::Error> {
    let Operate { operation, ids, act } = wanted;
    let mut done = Vec::with_capacity(ids.len());
    for id in ids {
        let note = on(*id, note_of(*operation)).bind(act.at.as_millisecond()).bind(operation.name());
        let note = note.bind(act.by.to_string());
        let Some(note) = note.fetch_optional(&mut *connection).await? else { continue };
        done.extend(operated(&note));
        perform(connection, *operation, *id, act).await?;
    }
    if takes_back(*operation) {
        recent::forget(connection, &done.iter().map(|done| done.id).collect()).await?;
    }
    Ok(done)
}

fn note_of(operation: Operation) -> &'static str {
    match operation {
        Operation::Undo => NOTE_UNDO,
        Operation::Stop => NOTE_STOP,
        Operation::Retry | Operation::Hold | Operation::Release | Operation::Bounce | Operation::Remove => {
            NOTE
        }
    }
}

/// Whether the same message may be handed in again. What an operator has removed may not: a client that tries again must not bring it back.
fn takes_back(operation: Operation) -> bool {
    match operation {
        Operation::Undo | Operation::Stop => true,
        Operation::Retry | Operation::Hold | Operation::Release | Operation::Bounce | Operation::Remove => {
            false
        }
    }
}

async fn perform(
    connection: &mut SqliteConnection,
    operation: Operation,
    id: QueueId,
    act: &Act,
) -> Result<(), sqlx::Error> {
    let now = act.at.as_millisecond();
    let statements = match operation {
        Operation::Retry => vec![on(id, RETRY).bind(now), on(id, SET_DUE)],
        Operation::Hold => vec![on(id, HOLD), on(id, SET_DUE)],
        Operation::Release => vec![on(id, HURRY).bind(now), on(id, UNHOLD), on(id, SET_DUE)],
        Operation::Bounce => {
            vec![on(id, RETURN).bind(now), on(id, END), on(id, END_LEASES), on(id, SET_DUE)]
        }
        Operation::Remove | Operation::Undo | Operation::Stop => {
            vec![on(id, REMOVE_RECIPIENTS), on(id, REMOVE_DELIVERIES), on(id, REMOVE)]
        }
    };
    for statement in statements {
        statement.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Takes the oldest notes.
pub(super) async fn take(
    connection: &mut SqliteConnection,
    at_most: u32,
) -> Result<Vec<Operated>, sqlx::Error> {
    let mut rows = sqlx::query(TAKE).bind(at_most).fetch_all(connection).await?;
    // SQLite returns them in no order.
    rows.sort_by_key(|row| row.try_get::<i64, _>("number").unwrap_or_default());
    Ok(rows.iter().filter_map(operated).collect())
}

/// A note, unless it is damaged: it is for the log alone.
fn operated(row: &SqliteRow) -> Option<Operated> {
    let at = time(row.try_get("at").ok()?)?;
    Some(Operated {
        operation: Operation::from_name(&text(row, "operation"))?,
        by: text(row, "done_by"),
        at,
        id: QueueId::from_bytes(octets(row.try_get("entry").ok()?)?),
        account: text(row, "account_address"),
        message_id: row.try_get("message_id").ok()?,
    })
}
