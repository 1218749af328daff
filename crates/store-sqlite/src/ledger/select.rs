//! The ledger as people look at it.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqlitePool};
use store::{
    LedgerAttempt, LedgerFilter, LedgerMessage, LedgerName, LedgerRecipient, LedgerState, LedgerTrace,
    Operated, Operation, Page, QueuedBy,
};
use types::{AccountId, QueueId};

use crate::row::{lossy, maybe, octets, text, time};

/// Whether a message was removed before all had it; its id follows.
macro_rules! was_removed {
    ($id:expr) => {
        concat!(
            "EXISTS (SELECT 1 FROM operations WHERE message = ",
            $id,
            " AND operation IN ('remove', 'undo', 'stop'))"
        )
    };
}
pub(super) use was_removed;

/// A message, whose table is `m`, and the state of the recipient who is worst off. A damaged state is shown as `held`.
const SHOWN: &str = concat!(
    "SELECT m.*, ",
    was_removed!("m.id"),
    " AS removed, (SELECT state FROM recipients WHERE message = m.id \
     ORDER BY CASE state WHEN 'failed' THEN 0 WHEN 'deferred' THEN 2 WHEN 'queued' THEN 3 WHEN 'delivered' THEN 4 ELSE 1 END, \
     number LIMIT 1) AS state FROM "
);

pub(super) async fn messages(
    readers: &SqlitePool,
    filter: &LedgerFilter,
    page: Page<QueueId>,
) -> Result<Vec<LedgerMessage>, sqlx::Error> {
    let rows = page_of(filter, page).build().persistent(false).fetch_all(readers).await?;
    Ok(rows.iter().map(message).collect())
}

/// Each filter has an index in the order of the ids, so that a page is read and no more.
fn page_of(filter: &LedgerFilter, page: Page<QueueId>) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(SHOWN);
    let id = match &filter.recipient {
        Some(address) => {
            // A cross join is not reordered: recipients first.
            query.push(
                "recipients r CROSS JOIN messages m ON m.id = r.message WHERE lower(r.address) = lower(",
            );
            query.push_bind(address.clone()).push(")");
            "r.message"
        }
        None => {
            query.push("messages m WHERE true");
            "m.id"
        }
    };
    let mut bound = |is: &str, id_of: QueueId| {
        query.push(" AND ").push(id).push(is).push_bind(id_of.as_bytes().to_vec());
    };
    page.after.into_iter().for_each(|after| bound(" < ", after));
    filter.since.into_iter().for_each(|since| bound(" >= ", first_of(since)));
    filter.until.into_iter().for_each(|until| bound(" < ", first_of(until)));
    narrow(&mut query, filter);
    query.push(" ORDER BY ").push(id).push(" DESC LIMIT ").push_bind(page.limit);
    query
}

fn narrow(query: &mut QueryBuilder<Sqlite>, filter: &LedgerFilter) {
    match &filter.account {
        Some(QueuedBy { account: Some(account), .. }) => {
            query.push(" AND m.account = ").push_bind(account.as_bytes().to_vec());
        }
        Some(QueuedBy { account: None, address }) => {
            query.push(" AND lower(m.account_address) = lower(").push_bind(address.clone()).push(")");
        }
        None => {}
    }
    if let Some(credential) = &filter.credential {
        query.push(" AND m.credential IS NOT NULL AND lower(m.credential) = lower(");
        query.push_bind(credential.clone()).push(")");
    }
    if let Some(state) = filter.state {
        narrow_state(query, state);
    }
    if let Some(message_id) = &filter.message_id {
        query.push(" AND m.message_id = ").push_bind(message_id.clone());
    }
}

/// Who was still to get a message that was removed does not wait any more.
fn narrow_state(query: &mut QueryBuilder<Sqlite>, state: LedgerState) {
    let open = "IN ('queued', 'deferred', 'held')";
    query.push(" AND EXISTS (SELECT 1 FROM recipients s WHERE s.message = m.id AND s.state ");
    match state {
        LedgerState::Cancelled => query.push(open),
        state => query.push("= ").push_bind(state.name()),
    };
    query.push(")");
    match state {
        LedgerState::Cancelled => query.push(concat!(" AND ", was_removed!("m.id"))),
        state if state.is_open() => query.push(concat!(" AND NOT ", was_removed!("m.id"))),
        _ => query,
    };
}

pub(super) async fn sent_with(
    readers: &SqlitePool,
    account: AccountId,
    since: Timestamp,
) -> Result<Vec<(String, u64)>, sqlx::Error> {
    let counts = "SELECT lower(credential) AS credential, count(*) AS messages FROM messages \
                  WHERE account = $1 AND id >= $2 AND credential IS NOT NULL GROUP BY lower(credential)";
    let counts = sqlx::query(counts).bind(account.as_bytes().to_vec());
    let rows = counts.bind(first_of(since).as_bytes().to_vec()).fetch_all(readers).await?;
    Ok(rows.iter().map(|row| (text(row, "credential"), maybe(row, "messages").unwrap_or_default())).collect())
}

/// The first id that there can be of this time.
pub(super) fn first_of(at: Timestamp) -> QueueId {
    QueueId::new(u64::try_from(at.as_millisecond()).unwrap_or_default(), [0; 10])
}

pub(super) async fn named(
    readers: &SqlitePool,
    name: &LedgerName,
    at_most: u32,
) -> Result<Vec<QueueId>, sqlx::Error> {
    let query = match name {
        LedgerName::Ids(ids) => {
            sqlx::query("SELECT id FROM messages WHERE id BETWEEN $1 AND $2 ORDER BY id DESC LIMIT $3")
                .bind(ids.start().as_bytes().to_vec())
                .bind(ids.end().as_bytes().to_vec())
        }
        LedgerName::MessageId(begun) => {
            let query = "SELECT id FROM messages WHERE message_id IS NOT NULL AND message_id >= $1 AND message_id < $2 \
                         ORDER BY id DESC LIMIT $3";
            // Behind all that begins so.
            sqlx::query(query).bind(begun.clone()).bind(format!("{begun}\u{10ffff}"))
        }
    };
    let rows = query.bind(at_most).fetch_all(readers).await?;
    Ok(rows.iter().map(id).collect())
}

pub(super) async fn trace(readers: &SqlitePool, of: QueueId) -> Result<Option<LedgerTrace>, sqlx::Error> {
    // All queries in one transaction, so that they see the same state.
    let mut transaction = readers.begin().await?;
    let mut one = QueryBuilder::new(SHOWN);
    one.push("messages m WHERE m.id = ").push_bind(of.as_bytes().to_vec());
    let Some(row) = one.build().fetch_optional(&mut *transaction).await? else { return Ok(None) };
    let mut rows = [const { Vec::new() }; 3];
    let queries = [
        "SELECT * FROM recipients WHERE message = $1 ORDER BY number",
        "SELECT * FROM attempts WHERE message = $1 ORDER BY at, recipient, attempt",
        "SELECT * FROM operations WHERE message = $1 ORDER BY at",
    ];
    for (query, rows) in queries.into_iter().zip(&mut rows) {
        *rows = sqlx::query(query).bind(of.as_bytes().to_vec()).fetch_all(&mut *transaction).await?;
    }
    let [recipients, attempts, operations] = rows;
    let removed = maybe(&row, "removed").unwrap_or_default();
    let message = message(&row);
    Ok(Some(LedgerTrace {
        recipients: recipients.iter().map(|row| recipient(row, removed)).collect(),
        attempts: attempts.iter().map(attempt).collect(),
        operations: operations.iter().filter_map(|row| operated(row, &message)).collect(),
        message,
    }))
}

fn message(row: &SqliteRow) -> LedgerMessage {
    let tls = lossy(row, "tls_version").map(|version| match lossy(row, "tls_cipher") {
        Some(cipher) => format!("{version} {cipher}"),
        None => version,
    });
    LedgerMessage {
        id: id(row),
        account: text(row, "account_address"),
        credential: lossy(row, "credential"),
        session: lossy(row, "session"),
        ip: lossy(row, "ip"),
        tls,
        sender: text(row, "sender"),
        message_id: lossy(row, "message_id"),
        size: maybe(row, "size").unwrap_or_default(),
        accepted_at: maybe(row, "accepted_at").and_then(time).unwrap_or_default(),
        recipients: maybe(row, "recipients").unwrap_or_default(),
        state: state(row, maybe(row, "removed").unwrap_or_default()),
    }
}

fn id(row: &SqliteRow) -> QueueId {
    QueueId::from_bytes(row.try_get("id").ok().and_then(octets).unwrap_or_default())
}

/// What was removed before it was delivered does not wait any more.
fn state(row: &SqliteRow, removed: bool) -> LedgerState {
    let state = LedgerState::from_name(&text(row, "state")).unwrap_or(LedgerState::Held);
    if removed && state.is_open() { LedgerState::Cancelled } else { state }
}

fn recipient(row: &SqliteRow, removed: bool) -> LedgerRecipient {
    let state = state(row, removed);
    LedgerRecipient {
        address: text(row, "address"),
        state,
        attempts: maybe(row, "attempts").unwrap_or_default(),
        next_attempt_at: maybe(row, "next_attempt_at").and_then(time).filter(|_| state.is_open()),
        last_reply: lossy(row, "last_reply"),
        last_host: lossy(row, "last_host"),
        done_at: maybe(row, "done_at").and_then(time),
    }
}

fn attempt(row: &SqliteRow) -> LedgerAttempt {
    LedgerAttempt {
        recipient: maybe(row, "recipient").unwrap_or_default(),
        at: maybe(row, "at").and_then(time).unwrap_or_default(),
        state: state(row, false),
        reply: text(row, "reply"),
        host: lossy(row, "host"),
    }
}

/// Unless it is damaged.
fn operated(row: &SqliteRow, message: &LedgerMessage) -> Option<Operated> {
    Some(Operated {
        operation: Operation::from_name(&text(row, "operation"))?,
        by: text(row, "done_by"),
        at: maybe(row, "at").and_then(time)?,
        id: message.id,
        account: message.account.clone(),
        message_id: message.message_id.clone(),
    })
}
