//! What is changed of deliveries beside leases and outcomes: quarantine, clocks that were wrong, and the list of nodes.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use store::{HeldLease, MasterKeyId, Node};
use types::{NodeId, QueueId};

use crate::row::Query;

/// A change of entries or deliveries.
#[derive(Debug)]
pub(super) enum Change {
    Quarantine(QueueId, String),
    /// Makes due at `now` what is due after `latest`, unless it may not leave before some time that lies ahead and was told by a clock that was
    /// right.
    BringForward {
        latest: Timestamp,
        now: Timestamp,
    },
    /// Puts a node on the list.
    Join(Node),
    /// What a node on the list tells of its master keys.
    NewestKey(NodeId, MasterKeyId),
    /// Nothing, written there and back in one transaction, to see whether anything can be: a value that is written over itself alone is no
    /// write to SQLite.
    Nothing,
    /// Ends these leases of a node.
    GiveBack(NodeId, Vec<HeldLease>),
    /// Takes all nodes off the list and ends all leases: at the start of the server, whoever had them is dead.
    BuryAll,
}

/// When a delivery is due, if nobody has it leased: when the first of its recipients is, or when its sender is to be told.
macro_rules! due {
    () => {
        "CASE WHEN (SELECT held FROM entries WHERE id = deliveries.entry) THEN NULL \
         WHEN deliveries.destination = 'sender' THEN \
         (SELECT min(tell_at) FROM recipients WHERE recipients.entry = deliveries.entry) \
         ELSE (SELECT min(next_attempt_at) FROM recipients \
          WHERE recipients.entry = deliveries.entry AND recipients.destination = deliveries.destination) END"
    };
}
pub(super) use due;

/// After a change of the recipients of an entry or of its hold.
pub(super) const SET_DUE: &str = concat!("UPDATE deliveries SET due_at = ", due!(), " WHERE entry = $1");

const QUARANTINE: &str = "UPDATE entries SET held = true WHERE id = $1";
const STOP: &str = "UPDATE deliveries SET due_at = NULL, lease_owner = NULL WHERE entry = $1";
const TELL: &str = "UPDATE recipients SET last_reply = $2 WHERE entry = $1 AND state <> 'delivered'";
const RECIPIENTS_FORWARD: &str = "UPDATE recipients SET next_attempt_at = $2 WHERE next_attempt_at > $1 \
     AND entry IN (SELECT entry FROM deliveries JOIN entries ON entries.id = deliveries.entry \
     WHERE due_at > $1 AND (not_before IS NULL OR not_before <= $2 OR accepted_at > $1))";
const NEWS_FORWARD: &str = "UPDATE recipients SET tell_at = $2 WHERE tell_at > $1 \
     AND entry IN (SELECT entry FROM deliveries WHERE destination = 'sender' AND due_at > $1)";
const DELIVERIES_FORWARD: &str = concat!("UPDATE deliveries SET due_at = ", due!(), " WHERE due_at > $1");
const JOIN: &str = "INSERT INTO nodes (id, name, version, started_at, newest_key, newest_key_digest) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING";
const NEWEST_KEY: &str = "UPDATE nodes SET newest_key = $2, newest_key_digest = $3 WHERE id = $1";
const THERE: &str = "UPDATE nodes SET name = name || ' '";
const AND_BACK: &str = "UPDATE nodes SET name = rtrim(name)";
const GIVE_BACK: &str = "UPDATE deliveries SET lease_owner = NULL \
     WHERE entry = $1 AND destination = $2 AND lease_owner = $3 AND lease_token = $4";
const FREE: &str = "UPDATE deliveries SET lease_owner = NULL WHERE lease_owner = $1";
const FREE_ALL: &str = "UPDATE deliveries SET lease_owner = NULL WHERE lease_owner IS NOT NULL";
const BURY: &str = "DELETE FROM nodes WHERE id = $1";
const BURY_ALL: &str = "DELETE FROM nodes";

pub(super) async fn write(connection: &mut SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
    for statement in change.statements() {
        statement.execute(&mut *connection).await?;
    }
    Ok(())
}

/// Takes a node off the list and ends its leases. Whether it was there.
pub(super) async fn bury(connection: &mut SqliteConnection, id: NodeId) -> Result<bool, sqlx::Error> {
    let id = id.as_bytes().to_vec();
    sqlx::query(FREE).bind(id.clone()).execute(&mut *connection).await?;
    let buried = sqlx::query(BURY).bind(id).execute(connection).await?;
    Ok(buried.rows_affected() > 0)
}

impl Change {
    /// What to run, in this order.
    fn statements(&self) -> Vec<Query> {
        match self {
            Change::Quarantine(id, reason) => {
                vec![on(*id, TELL).bind(reason.clone()), on(*id, QUARANTINE), on(*id, STOP)]
            }
            Change::BringForward { latest, now } => {
                let of = |sql| sqlx::query(sql).bind(latest.as_millisecond());
                let to = |sql| of(sql).bind(now.as_millisecond());
                vec![to(RECIPIENTS_FORWARD), to(NEWS_FORWARD), of(DELIVERIES_FORWARD)]
            }
            Change::Join(node) => vec![join(node)],
            Change::NewestKey(id, key) => {
                let told = sqlx::query(NEWEST_KEY).bind(id.as_bytes().to_vec());
                vec![told.bind(key.number).bind(key.digest.to_vec())]
            }
            Change::Nothing => vec![sqlx::query(THERE), sqlx::query(AND_BACK)],
            Change::GiveBack(owner, leases) => leases.iter().map(|lease| give_back(*owner, lease)).collect(),
            Change::BuryAll => vec![sqlx::query(FREE_ALL), sqlx::query(BURY_ALL)],
        }
    }
}

fn join(node: &Node) -> Query {
    sqlx::query(JOIN)
        .bind(node.id.as_bytes().to_vec())
        .bind(node.name.clone())
        .bind(node.version.clone())
        .bind(node.started_at.as_millisecond())
        .bind(node.newest_key.map(|key| key.number))
        .bind(node.newest_key.map(|key| key.digest.to_vec()))
}

fn give_back(owner: NodeId, lease: &HeldLease) -> Query {
    on(lease.delivery.entry, GIVE_BACK)
        .bind(lease.delivery.destination.to_shared())
        .bind(owner.as_bytes().to_vec())
        .bind(lease.token)
}

/// A statement about one entry, whose id is its first parameter.
pub(super) fn on(id: QueueId, sql: &'static str) -> Query {
    sqlx::query(sql).bind(id.as_bytes().to_vec())
}
