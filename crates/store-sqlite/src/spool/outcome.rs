//! What became of recipients.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use store::{Leased, Outcome};
use types::QueueId;

use super::change::due;
use super::submit::Script;
use super::writer::Job;

/// Outcomes of an attempt, to be recorded.
#[derive(Debug)]
pub(super) struct Record {
    id: QueueId,
    owner: String,
    outcomes: Vec<(u32, Outcome)>,
    now: Timestamp,
    complete: bool,
}

impl Record {
    pub(super) fn new(leased: &Leased, outcomes: Vec<(u32, Outcome)>, now: Timestamp) -> Self {
        Self {
            id: leased.submission.id,
            owner: leased.lease.owner.to_string(),
            complete: all_delivered(leased, &outcomes),
            outcomes,
            now,
        }
    }

    /// Whether every recipient of the message was delivered in this attempt, so that nothing needs to be looked up.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }
}

fn all_delivered(leased: &Leased, outcomes: &[(u32, Outcome)]) -> bool {
    let delivered = |number| outcomes.iter().any(|(n, outcome)| *n == number && is_delivered(outcome));
    leased.recipients.len() == leased.submission.recipients.len()
        && leased.recipients.iter().all(|recipient| delivered(recipient.number))
}

fn is_delivered(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Delivered { .. })
}

/// Deletes the entries that were delivered to everybody at once.
pub(super) fn forget_delivered(script: &mut Script, group: &mut [Job]) {
    let mut delivered = Vec::new();
    for job in group {
        if let Job::Record(record, reply) = job
            && record.complete
        {
            reply.set(true);
            delivered.push(record.id);
        }
    }
    if !delivered.is_empty() {
        delete(script, "DELETE FROM recipients WHERE entry IN (", &delivered);
        delete(script, "DELETE FROM entries WHERE id IN (", &delivered);
    }
}

fn delete(script: &mut Script, statement: &'static str, ids: &[QueueId]) {
    let mut ids_of = script.sql.push(statement).separated(", ");
    for id in ids {
        ids_of.push_bind(id.as_bytes().to_vec());
    }
    script.sql.push(");");
}

/// Records one by one, and ends the lease. Whether the entry left the queue.
pub(super) async fn write(connection: &mut SqliteConnection, record: &Record) -> Result<bool, sqlx::Error> {
    for (number, outcome) in &record.outcomes {
        set_outcome(connection, record, *number, outcome).await?;
    }
    if leave(connection, record).await? {
        return Ok(true);
    }
    let end_lease = sqlx::query(END_LEASE).bind(record.id.as_bytes().to_vec()).bind(record.owner.clone());
    end_lease.execute(connection).await?;
    Ok(false)
}

/// Whoever took the entry over after the lease had ended keeps it.
const END_LEASE: &str = concat!(
    "UPDATE entries SET lease_owner = NULL, due_at = ",
    due!(),
    " WHERE id = $1 AND (lease_owner = $2 OR lease_owner IS NULL)"
);

/// A recipient that has the message keeps its state, whatever comes later.
async fn set_outcome(
    connection: &mut SqliteConnection,
    record: &Record,
    number: u32,
    outcome: &Outcome,
) -> Result<(), sqlx::Error> {
    let (reply, host, next_attempt_at) = match outcome {
        Outcome::Delivered { reply, host }
        | Outcome::Failed { reply, host }
        | Outcome::Held { reply: Some(reply), host } => (reply, host, None),
        Outcome::Deferred { reply, host, next_attempt_at } => (reply, host, Some(*next_attempt_at)),
        Outcome::Held { reply: None, .. } => return keep_back(connection, record, number).await,
    };
    sqlx::query(
        "UPDATE recipients SET state = $1, attempts = attempts + 1, next_attempt_at = $2, last_reply = $3, \
         last_host = $4 WHERE entry = $5 AND number = $6 AND state <> 'delivered'",
    )
    .bind(outcome.state().name())
    .bind(next_attempt_at.map(|at| at.max(record.now).as_millisecond()))
    .bind(reply.clone())
    .bind(host.clone())
    .bind(record.id.as_bytes().to_vec())
    .bind(number)
    .execute(connection)
    .await
    .map(drop)
}

/// No attempt was made, and none is counted.
async fn keep_back(
    connection: &mut SqliteConnection,
    record: &Record,
    number: u32,
) -> Result<(), sqlx::Error> {
    let hold = "UPDATE recipients SET state = 'held', next_attempt_at = NULL \
                WHERE entry = $1 AND number = $2 AND state <> 'delivered'";
    sqlx::query(hold).bind(record.id.as_bytes().to_vec()).bind(number).execute(connection).await.map(drop)
}

/// Deletes the entry if everybody has the message.
async fn leave(connection: &mut SqliteConnection, record: &Record) -> Result<bool, sqlx::Error> {
    let id = record.id.as_bytes().to_vec();
    let delete = "DELETE FROM entries WHERE id = $1 AND NOT EXISTS \
                  (SELECT 1 FROM recipients WHERE entry = $1 AND state <> 'delivered')";
    let deleted = sqlx::query(delete).bind(id.clone()).execute(&mut *connection).await?;
    if deleted.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query("DELETE FROM recipients WHERE entry = $1").bind(id).execute(connection).await?;
    Ok(true)
}
