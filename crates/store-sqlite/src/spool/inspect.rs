//! The queue as people look at it: whatever is stored is shown, damaged or not.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, QueryBuilder, Row, Sqlite, SqliteConnection, SqlitePool, Type};
use store::{
    Corrupt, DeliveryKey, Destination, Details, Entry, HeldLease, MasterKeyId, Node, Page, QueueFilter,
    RecipientDetails, RecipientState, Stats, Waiting,
};
use types::{NodeId, QueueId};

use super::{lease, select};
use crate::row::{bare, lossy, maybe, octets, text, time};

const NEXT_DUE: &str = "SELECT min(due_at) FROM deliveries WHERE lease_owner IS NULL AND due_at IS NOT NULL";

/// The destinations that something waits for, the first of which is this one. The statement jumps from one to the next, however many
/// deliveries each of them has.
macro_rules! waiting_from {
    ($first:expr) => {
        concat!(
            "WITH RECURSIVE ready (destination) AS (SELECT min(destination) FROM deliveries \
             WHERE lease_owner IS NULL AND due_at IS NOT NULL AND destination ",
            $first,
            " UNION ALL SELECT (SELECT min(destination) FROM deliveries WHERE lease_owner IS NULL AND due_at IS NOT NULL \
             AND destination > ready.destination) FROM ready WHERE ready.destination IS NOT NULL) \
             SELECT destination, (SELECT min(due_at) FROM deliveries WHERE lease_owner IS NULL AND due_at IS NOT NULL \
             AND deliveries.destination = ready.destination) AS due_at FROM ready WHERE destination IS NOT NULL LIMIT $2"
        )
    };
}

const WAITING: &str = waiting_from!(">= $1");
const WAITING_AFTER: &str = waiting_from!("> $1");
const ANY_DUE_AFTER: &str = "SELECT EXISTS (SELECT 1 FROM deliveries JOIN entries ON entries.id = deliveries.entry \
     WHERE lease_owner IS NULL AND due_at IS NOT NULL AND due_at > $1 AND (not_before IS NULL OR not_before <= $2 OR accepted_at > $1))";

pub(super) async fn next_due(readers: &SqlitePool) -> Result<Option<Timestamp>, sqlx::Error> {
    let next: Option<i64> = sqlx::query_scalar(NEXT_DUE).fetch_one(readers).await?;
    Ok(next.and_then(time))
}

pub(super) async fn waiting(
    readers: &SqlitePool,
    page: Page<Destination>,
) -> Result<Vec<Waiting>, sqlx::Error> {
    let (statement, first) = match &page.after {
        None => (WAITING, ""),
        Some(after) => (WAITING_AFTER, after.as_str()),
    };
    let rows = sqlx::query(statement).bind(first).bind(page.limit).fetch_all(readers).await?;
    let waiting = |row: &SqliteRow| {
        let due_at = maybe(row, "due_at").and_then(time)?;
        Some(Waiting { destination: text(row, "destination").into(), due_at })
    };
    Ok(rows.iter().filter_map(waiting).collect())
}

pub(super) async fn any_due_after(
    readers: &SqlitePool,
    latest: Timestamp,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let any = sqlx::query_scalar(ANY_DUE_AFTER).bind(latest.as_millisecond()).bind(now.as_millisecond());
    any.fetch_one(readers).await
}

pub(super) async fn held_by(readers: &SqlitePool, owner: NodeId) -> Result<Vec<HeldLease>, sqlx::Error> {
    let held = "SELECT entry, destination, lease_token FROM deliveries WHERE lease_owner = $1";
    let rows = sqlx::query(held).bind(owner.as_bytes().to_vec()).fetch_all(readers).await?;
    let lease = |row: &SqliteRow| {
        let entry = QueueId::from_bytes(octets(row.try_get("entry").ok()?)?);
        let delivery = DeliveryKey { entry, destination: text(row, "destination").into() };
        Some(HeldLease { delivery, token: row.try_get("lease_token").ok()? })
    };
    Ok(rows.iter().filter_map(lease).collect())
}

pub(super) async fn nodes(readers: &SqlitePool) -> Result<Vec<Node>, sqlx::Error> {
    let rows = sqlx::query("SELECT * FROM nodes ORDER BY started_at, id").fetch_all(readers).await?;
    let node = |row: &SqliteRow| {
        Some(Node {
            id: NodeId::from_bytes(octets(row.try_get("id").ok()?)?),
            name: text(row, "name"),
            version: text(row, "version"),
            started_at: maybe(row, "started_at").and_then(time)?,
            newest_key: newest_key(row),
        })
    };
    Ok(rows.iter().filter_map(node).collect())
}

/// What a node has told of its master keys; `None` if it is not on the list.
pub(super) async fn newest_key_of(
    readers: &SqlitePool,
    id: NodeId,
) -> Result<Option<Option<MasterKeyId>>, sqlx::Error> {
    let node = sqlx::query("SELECT newest_key, newest_key_digest FROM nodes WHERE id = $1");
    let node = node.bind(id.as_bytes().to_vec()).fetch_optional(readers).await?;
    Ok(node.as_ref().map(newest_key))
}

fn newest_key(row: &SqliteRow) -> Option<MasterKeyId> {
    let digest = maybe::<&[u8]>(row, "newest_key_digest")?;
    Some(MasterKeyId { number: maybe(row, "newest_key")?, digest: digest.try_into().ok()? })
}

pub(super) async fn list(
    readers: &SqlitePool,
    filter: &QueueFilter,
    page: Page<QueueId>,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = select::entries(filter, page).build().persistent(false).fetch_all(readers).await?;
    Ok(rows.iter().map(entry).collect())
}

pub(super) async fn ids(
    readers: &SqlitePool,
    filter: &QueueFilter,
    page: Page<QueueId>,
) -> Result<Vec<QueueId>, sqlx::Error> {
    let rows = select::ids(filter, page).build().persistent(false).fetch_all(readers).await?;
    Ok(rows.iter().map(id).collect())
}

pub(super) async fn details(readers: &SqlitePool, ids: &[QueueId]) -> Result<Vec<Details>, sqlx::Error> {
    // All queries in one transaction, so that they see the same state.
    let mut transaction = readers.begin().await?;
    let rows = all_of(&mut transaction, select::named(ids), ids).await?;
    let mut query = QueryBuilder::new("SELECT * FROM recipients WHERE entry IN ");
    select::among(&mut query, ids);
    query.push(" ORDER BY entry, number");
    let mut recipients = lease::by_entry(all_of(&mut transaction, query, ids).await?);
    let mut damaged = damaged(&mut transaction, ids).await?;
    let details = |row: &SqliteRow| {
        let entry = entry(row);
        let rows = recipients.remove(&entry.id).unwrap_or_default();
        let recipients = rows.iter().map(|row| recipient(row, entry.held)).collect();
        Details { damaged: damaged.remove(&entry.id), entry, recipients }
    };
    Ok(rows.iter().map(details).collect())
}

/// The rows of a query about these entries; that about one is asked often, and kept.
async fn all_of(
    connection: &mut SqliteConnection,
    mut query: QueryBuilder<Sqlite>,
    ids: &[QueueId],
) -> Result<Vec<SqliteRow>, sqlx::Error> {
    query.build().persistent(ids.len() == 1).fetch_all(connection).await
}

/// What is damaged of the envelopes of entries, but for those that are settled, and have no deliveries.
async fn damaged(
    connection: &mut SqliteConnection,
    ids: &[QueueId],
) -> Result<HashMap<QueueId, Corrupt>, sqlx::Error> {
    let mut query = QueryBuilder::new("SELECT * FROM entries WHERE settled_at IS NULL AND id IN ");
    select::among(&mut query, ids);
    let rows = all_of(connection, query, ids).await?;
    let recipients = lease::recipients_of(connection, &rows).await?;
    let damage = |row: &SqliteRow| {
        let id = id(row);
        let recipients = recipients.get(&id).map_or(&[][..], Vec::as_slice);
        lease::envelope(row, id, recipients).err().map(|damage| (id, damage))
    };
    Ok(rows.iter().filter_map(damage).collect())
}

pub(super) async fn has_operations(readers: &SqlitePool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM operations)").fetch_one(readers).await
}

/// The entries that are not settled. Each of them has a delivery, and none that is settled has; an entry is seen at the first of its deliveries.
macro_rules! live {
    () => {
        " FROM deliveries CROSS JOIN entries WHERE entries.id = deliveries.entry AND settled_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM deliveries AS others WHERE others.entry = deliveries.entry \
         AND others.destination < deliveries.destination)"
    };
}

const FIGURES_OF_ENTRIES: &str = concat!(
    "SELECT count(*) AS entries, coalesce(sum(size), 0) AS octets, min(accepted_at) AS oldest",
    live!()
);
const FIGURES_OF_RECIPIENTS: &str = concat!(
    "SELECT count(*) FILTER (WHERE state = 'queued' AND NOT held) AS queued, \
     count(*) FILTER (WHERE state = 'deferred' AND NOT held) AS deferred, \
     count(*) FILTER (WHERE state = 'held' OR (state IN ('queued', 'deferred') AND held)) AS held, \
     count(*) FILTER (WHERE state = 'failed') AS failed \
     FROM (SELECT entries.id AS live, held",
    live!(),
    ") AS entries CROSS JOIN recipients WHERE recipients.entry = entries.live"
);

pub(super) async fn stats(readers: &SqlitePool) -> Result<Stats, sqlx::Error> {
    let mut transaction = readers.begin().await?;
    let entries = sqlx::query(FIGURES_OF_ENTRIES).fetch_one(&mut *transaction).await?;
    let recipients = sqlx::query(FIGURES_OF_RECIPIENTS).fetch_one(&mut *transaction).await?;
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
        id: id(row),
        account: text(row, "account_address"),
        sender: bare(&text(row, "reverse_path")),
        size: shown(row, "size"),
        accepted_at: maybe(row, "accepted_at").and_then(time).unwrap_or_default(),
        next_attempt_at: maybe(row, "next_attempt_at").and_then(time),
        held: shown(row, "held"),
        recipients: shown(row, "recipients"),
        state: state(row),
        last_reply: lossy(row, "last_reply"),
        message_id: lossy(row, "message_id"),
        credential: lossy(row, "credential"),
        envid: lossy(row, "envid"),
        ret: lossy(row, "ret"),
        not_before: maybe(row, "not_before").and_then(time),
        deliver_by: maybe(row, "deliver_by").and_then(time),
        by_mode: lossy(row, "by_mode"),
        priority: shown(row, "priority"),
        tls_required: lossy(row, "tls_required"),
    }
}

fn id(row: &SqliteRow) -> QueueId {
    QueueId::from_bytes(maybe(row, "id").and_then(octets).unwrap_or_default())
}

/// One that is damaged waits for an operator.
fn state(row: &SqliteRow) -> RecipientState {
    text(row, "state").parse().unwrap_or(RecipientState::Held)
}

fn recipient(row: &SqliteRow, held: bool) -> RecipientDetails {
    let state = match state(row) {
        RecipientState::Queued | RecipientState::Deferred if held => RecipientState::Held,
        state => state,
    };
    RecipientDetails {
        address: bare(&text(row, "forward_path")),
        state,
        attempts: shown(row, "attempts"),
        next_attempt_at: maybe(row, "next_attempt_at").and_then(time).filter(|_| !held),
        last_reply: lossy(row, "last_reply"),
        last_host: lossy(row, "last_host"),
        notify: lossy(row, "notify"),
        orcpt: lossy(row, "orcpt"),
    }
}

fn shown<'r, T: Decode<'r, Sqlite> + Type<Sqlite> + Default>(row: &'r SqliteRow, column: &str) -> T {
    maybe(row, column).unwrap_or_default()
}
