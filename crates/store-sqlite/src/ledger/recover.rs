//! What a crash has kept from the ledger, as far as the queue knows it: at the start of the server.
//!
//! Whatever is in the queue is entered as it stands there. What waits by the ledger and is in the queue no longer was delivered: nothing else
//! leaves the queue but by an operation, which is noted by whoever does it.

use std::borrow::Cow;
use std::collections::HashSet;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqlitePool};

use super::database::Database;
use super::note::{Line, MessageLine, RecipientLine};
use super::select::was_removed;
use crate::row::{bare, lossy, maybe, octets, text};

/// Messages that are looked at together.
const TOGETHER: u32 = 500;

const ENTRIES: &str = "SELECT id, account, account_address, reverse_path, accepted_at, size, held, message_id, credential, session, ip, \
     tls_version, tls_cipher, CASE WHEN not_before > accepted_at THEN not_before ELSE accepted_at END AS due_at FROM entries WHERE id > $1 ORDER BY id LIMIT $2";
const RECIPIENTS: &str = "SELECT entry, number, forward_path, state, attempts, next_attempt_at, last_reply, last_host FROM recipients \
     WHERE entry > $1 AND entry <= $2 ORDER BY entry, number";
const OPEN: &str = "SELECT DISTINCT message AS id FROM recipients WHERE message > $1 AND message <= $2 \
     AND state IN ('queued', 'deferred', 'held') ORDER BY message LIMIT $3";
const LAST: &str = "SELECT max(message) FROM recipients";
const DELIVERED: &str = concat!(
    "UPDATE recipients SET state = 'delivered', next_attempt_at = NULL WHERE message = $1 \
     AND state IN ('queued', 'deferred', 'held') AND NOT ",
    was_removed!("$1")
);

/// Enters what is missing. `may_lack` says whether the queue may have lost messages: then nobody knows what became of those;
/// `is_kept`, whether anything is kept.
pub(super) async fn recover(
    database: &Database,
    queue: &SqlitePool,
    may_lack: bool,
    is_kept: impl Fn() -> bool,
) -> Result<(), sqlx::Error> {
    // What comes in from here on is noted.
    let last: Option<Vec<u8>> = sqlx::query_scalar(LAST).fetch_one(database.readers()).await?;
    let mut after = Vec::new();
    while let Some(lines) = entered(queue, &mut after).await? {
        // Asked behind the look at the queue: what came in since nothing is kept stays out.
        if !is_kept() {
            return Ok(());
        }
        database.write_lines(&lines).await?;
    }
    match last {
        Some(last) if !may_lack => close_delivered(database, queue, last).await,
        _ => Ok(()),
    }
}

/// The next entries of the queue, as the ledger has them; `None` behind the last.
async fn entered(queue: &SqlitePool, after: &mut Vec<u8>) -> Result<Option<Vec<Line<'static>>>, sqlx::Error> {
    let mut transaction = queue.begin().await?;
    let entries =
        sqlx::query(ENTRIES).bind(after.clone()).bind(TOGETHER).fetch_all(&mut *transaction).await?;
    let Some(last) = entries.last() else { return Ok(None) };
    let last: Vec<u8> = last.try_get("id")?;
    let recipients = sqlx::query(RECIPIENTS).bind(std::mem::replace(after, last.clone())).bind(last);
    let recipients = recipients.fetch_all(&mut *transaction).await?;
    // Recipients first, as what is known of them; then the message, which knows none of them any better.
    let recipients = recipients.iter().filter_map(recipient).map(Line::Recipient);
    Ok(Some(recipients.chain(entries.iter().filter_map(message).map(Line::Message)).collect()))
}

fn message(row: &SqliteRow) -> Option<MessageLine<'static>> {
    Some(MessageLine {
        id: octets(row.try_get("id").ok()?)?,
        account: octets(row.try_get("account").ok()?)?,
        account_address: text(row, "account_address").into(),
        credential: lossy(row, "credential").map(Cow::Owned),
        session: lossy(row, "session"),
        ip: lossy(row, "ip"),
        tls_version: lossy(row, "tls_version").map(Cow::Owned),
        tls_cipher: lossy(row, "tls_cipher").map(Cow::Owned),
        sender: bare(&text(row, "reverse_path")),
        message_id: lossy(row, "message_id").map(Cow::Owned),
        size: maybe(row, "size").unwrap_or_default(),
        accepted_at: maybe(row, "accepted_at").unwrap_or_default(),
        next_attempt_at: maybe(row, "due_at").unwrap_or_default(),
        held: maybe(row, "held").unwrap_or_default(),
        recipients: Vec::new(),
    })
}

fn recipient(row: &SqliteRow) -> Option<RecipientLine<'static>> {
    Some(RecipientLine {
        message: octets(row.try_get("entry").ok()?)?,
        number: maybe(row, "number")?,
        address: bare(&text(row, "forward_path")),
        state: text(row, "state").into(),
        attempts: maybe(row, "attempts").unwrap_or_default(),
        next_attempt_at: maybe(row, "next_attempt_at"),
        reply: lossy(row, "last_reply").map(Cow::Owned),
        host: lossy(row, "last_host").map(Cow::Owned),
        at: None,
        has_failed: false,
    })
}

/// Those up to `last` that wait by the ledger, and have left the queue.
async fn close_delivered(database: &Database, queue: &SqlitePool, last: Vec<u8>) -> Result<(), sqlx::Error> {
    let mut after = Vec::new();
    loop {
        let open = sqlx::query_scalar(OPEN).bind(after).bind(last.clone()).bind(TOGETHER);
        let open: Vec<Vec<u8>> = open.fetch_all(database.readers()).await?;
        let Some(end) = open.last() else { return Ok(()) };
        after = end.clone();
        let queued = still_queued(queue, &open).await?;
        let mut transaction = database.begin().await?;
        for gone in open.iter().filter(|id| !queued.contains(*id)) {
            sqlx::query(DELIVERED).bind(gone.clone()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
    }
}

async fn still_queued(queue: &SqlitePool, ids: &[Vec<u8>]) -> Result<HashSet<Vec<u8>>, sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT id FROM entries WHERE id IN (");
    let mut list = query.separated(", ");
    for id in ids {
        list.push_bind(id.clone());
    }
    query.push(")");
    let rows = query.build_query_scalar().persistent(false).fetch_all(queue).await?;
    Ok(rows.into_iter().collect())
}
