//! The queue as people look at it: whatever is stored is shown, damaged or not.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row, Sqlite, SqlitePool, Type};
use store::{Details, Entry, RecipientDetails, RecipientState, SpoolError, Stats};
use types::QueueId;

use super::SqliteSpool;
use crate::row::{octets, time};

impl SqliteSpool {
    /// Asks a reader.
    pub(super) async fn read<T>(
        &self,
        question: impl AsyncFnOnce(&SqlitePool) -> Result<T, sqlx::Error>,
    ) -> Result<T, SpoolError> {
        match question(&self.readers).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(self.failed(error).await),
        }
    }
}

pub(super) async fn next_due(readers: &SqlitePool) -> Result<Option<Timestamp>, sqlx::Error> {
    let earliest = "SELECT min(due_at) FROM entries WHERE due_at IS NOT NULL AND held = 0";
    let due: Option<i64> = sqlx::query_scalar(earliest).fetch_one(readers).await?;
    Ok(due.and_then(time))
}

/// What is shown of an entry. An entry in delivery is due when its recipients are, not when its lease ends.
macro_rules! entries {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_address, reverse_path, size, accepted_at, recipients, held OR \
             (EXISTS (SELECT 1 FROM recipients WHERE entry = entries.id AND state = 'held') AND NOT EXISTS \
             (SELECT 1 FROM recipients WHERE entry = entries.id AND state IN ('queued', 'deferred'))) AS held, \
             CASE WHEN held THEN NULL \
             ELSE (SELECT min(next_attempt_at) FROM recipients WHERE entry = entries.id) END AS next_attempt_at \
             FROM entries ",
            $rest
        )
    };
}

pub(super) async fn list(readers: &SqlitePool) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query(entries!("ORDER BY id")).fetch_all(readers).await?;
    Ok(rows.iter().map(entry).collect())
}

pub(super) async fn show(readers: &SqlitePool, id: QueueId) -> Result<Option<Details>, sqlx::Error> {
    // Both queries in one transaction, so that they see the same state.
    let mut transaction = readers.begin().await?;
    let one = sqlx::query(entries!("WHERE id = $1")).bind(id.as_bytes().to_vec());
    let Some(row) = one.fetch_optional(&mut *transaction).await? else { return Ok(None) };
    let recipients = "SELECT * FROM recipients WHERE entry = $1 ORDER BY number";
    let recipients =
        sqlx::query(recipients).bind(id.as_bytes().to_vec()).fetch_all(&mut *transaction).await?;
    let entry = entry(&row);
    let recipients = recipients.iter().map(|row| recipient(row, entry.held)).collect();
    Ok(Some(Details { entry, recipients }))
}

pub(super) async fn stats(readers: &SqlitePool) -> Result<Stats, sqlx::Error> {
    let mut transaction = readers.begin().await?;
    let entries = "SELECT count(*) AS entries, coalesce(sum(size), 0) AS octets, min(accepted_at) AS oldest FROM entries";
    let entries = sqlx::query(entries).fetch_one(&mut *transaction).await?;
    let recipients = "SELECT coalesce(sum(state = 'queued' AND NOT held), 0) AS queued, \
                      coalesce(sum(state = 'deferred' AND NOT held), 0) AS deferred, \
                      coalesce(sum(state = 'held' OR (state IN ('queued', 'deferred') AND held)), 0) AS held, \
                      coalesce(sum(state = 'failed'), 0) AS failed \
                      FROM recipients JOIN entries ON entries.id = recipients.entry";
    let recipients = sqlx::query(recipients).fetch_one(&mut *transaction).await?;
    Ok(Stats {
        entries: shown(&entries, "entries"),
        octets: shown(&entries, "octets"),
        oldest: maybe(&entries, "oldest").and_then(time),
        queued: shown(&recipients, "queued"),
        deferred: shown(&recipients, "deferred"),
        held: shown(&recipients, "held"),
        failed: shown(&recipients, "failed"),
    })
}

fn entry(row: &SqliteRow) -> Entry {
    Entry {
        id: QueueId::from_bytes(maybe(row, "id").and_then(octets).unwrap_or_default()),
        account: text(row, "account_address"),
        sender: inside(&text(row, "reverse_path")),
        size: shown(row, "size"),
        accepted_at: maybe(row, "accepted_at").and_then(time).unwrap_or_default(),
        next_attempt_at: maybe(row, "next_attempt_at").and_then(time),
        held: shown(row, "held"),
        recipients: shown(row, "recipients"),
    }
}

fn recipient(row: &SqliteRow, held: bool) -> RecipientDetails {
    let state = match text(row, "state").parse().unwrap_or(RecipientState::Held) {
        RecipientState::Queued | RecipientState::Deferred if held => RecipientState::Held,
        state => state,
    };
    RecipientDetails {
        address: inside(&text(row, "forward_path")),
        state,
        attempts: shown(row, "attempts"),
        next_attempt_at: maybe(row, "next_attempt_at").and_then(time).filter(|_| !held),
        last_reply: maybe::<&[u8]>(row, "last_reply").map(|text| String::from_utf8_lossy(text).into_owned()),
        last_host: maybe::<&[u8]>(row, "last_host").map(|text| String::from_utf8_lossy(text).into_owned()),
    }
}

/// A path without its angle brackets.
fn inside(path: &str) -> String {
    path.trim_start_matches('<').trim_end_matches('>').to_owned()
}

fn text(row: &SqliteRow, column: &str) -> String {
    String::from_utf8_lossy(maybe(row, column).unwrap_or_default()).into_owned()
}

fn shown<'r, T: Decode<'r, Sqlite> + Type<Sqlite> + Default>(row: &'r SqliteRow, column: &str) -> T {
    maybe(row, column).unwrap_or_default()
}

/// A column, unless it is damaged or NULL.
fn maybe<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(row: &'r SqliteRow, column: &str) -> Option<T> {
    row.try_get::<Option<T>, _>(column).ok().flatten()
}
