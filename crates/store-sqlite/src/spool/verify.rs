//! Reading every message of the queue, to see whether each is what was committed.

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqlitePool};
use store::{Body as _, Corrupt, SpoolError};
use types::QueueId;

use super::database::Database;
use super::{body, lease};
use crate::row::octets;

/// Entries that are looked up together.
const BATCH: u32 = 500;

/// What was found in the queue.
#[derive(Debug, Default)]
pub(crate) struct Verified {
    /// The messages that were read.
    pub(crate) messages: u64,
    /// What is damaged of them; a message may have a damaged envelope and a damaged text.
    pub(crate) damaged: Vec<Corrupt>,
}

/// Reads the envelope and the text of every message. A message that leaves the queue meanwhile is no fault.
pub(super) async fn all(database: &Database) -> Result<Verified, SpoolError> {
    let (mut verified, mut after) = (Verified::default(), Vec::new());
    loop {
        let batch = database.read(async |readers| batch(readers, &after).await).await?;
        let Some((last, _)) = batch.last() else { return Ok(verified) };
        after = last.as_bytes().to_vec();
        for (id, damage) in batch {
            verified.messages += 1;
            verified.damaged.extend(damage);
            verified.damaged.extend(damaged_text(database, id).await?);
        }
    }
}

/// The next entries behind the id `after`, with what is damaged of their envelopes.
async fn batch(readers: &SqlitePool, after: &[u8]) -> Result<Vec<(QueueId, Option<Corrupt>)>, sqlx::Error> {
    // Both queries in one transaction, so that they see the same state.
    let mut transaction = readers.begin().await?;
    let entries =
        sqlx::query("SELECT * FROM entries WHERE id > $1 AND settled_at IS NULL ORDER BY id LIMIT $2");
    let entries = entries.bind(after.to_vec()).bind(BATCH).fetch_all(&mut *transaction).await?;
    let mut recipients = lease::recipients_of(&mut transaction, &entries).await?;
    let with_damage = |row: &SqliteRow| {
        let id = QueueId::from_bytes(octets(row.try_get("id").ok()?)?);
        Some((id, lease::envelope(row, id, &recipients.remove(&id).unwrap_or_default()).err()))
    };
    Ok(entries.iter().filter_map(with_damage).collect())
}

async fn damaged_text(database: &Database, id: QueueId) -> Result<Option<Corrupt>, SpoolError> {
    match read_through(database, id).await {
        Ok(()) => Ok(None),
        Err(SpoolError::Corrupt(corrupt)) => Ok(is_queued(database, id).await?.then_some(corrupt)),
        Err(error) => Err(error),
    }
}

async fn read_through(database: &Database, id: QueueId) -> Result<(), SpoolError> {
    let mut body = body::open(database, id).await?;
    while body.next_chunk().await?.is_some() {}
    Ok(())
}

async fn is_queued(database: &Database, id: QueueId) -> Result<bool, SpoolError> {
    let queued = "SELECT EXISTS (SELECT 1 FROM entries WHERE id = $1 AND settled_at IS NULL)";
    let queued = sqlx::query_scalar(queued).bind(id.as_bytes().to_vec());
    database.read(async |readers| queued.fetch_one(readers).await).await
}
