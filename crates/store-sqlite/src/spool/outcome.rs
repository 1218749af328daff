//! What became of recipients.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use store::{DeliveryKey, Lease, Leased, NewReport, Outcome, Recorded};
use types::QueueId;

use super::change::{SET_DUE, due, on};
use super::settle::{self, Left};
use super::submit::{Script, Submit};

/// Outcomes of an attempt, to be recorded.
#[derive(Debug)]
pub(super) struct Record {
    delivery: DeliveryKey,
    lease: Lease,
    outcomes: Vec<(u32, Outcome)>,
    report: Option<Report>,
    now: Timestamp,
    complete: bool,
    /// Others of the delivery are still to be tried.
    keeps_lease: bool,
}

/// A report that is committed with what it tells of.
#[derive(Debug)]
struct Report {
    row: Submit,
    late: Vec<u32>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    pub(super) recorded: Recorded,
    /// The message left the queue.
    pub(super) gone: bool,
    /// Others of the delivery may still be tried under its lease.
    pub(super) goes_on: bool,
}

impl Record {
    pub(super) fn new(
        leased: &Leased,
        outcomes: Vec<(u32, Outcome)>,
        report: Option<NewReport>,
        now: Timestamp,
    ) -> Self {
        let complete = report.is_none() && all_delivered(leased, &outcomes);
        let report = report.map(|report| Report { late: report.late.clone(), row: Submit::report(report) });
        let (delivery, lease) = (leased.key(), leased.lease);
        Self { delivery, lease, complete, outcomes, report, now, keeps_lease: false }
    }

    /// Of recipients who have the message, while others of the delivery are still to be tried.
    pub(super) fn of_some(leased: &Leased, delivered: Vec<(u32, Outcome)>, now: Timestamp) -> Self {
        Self { complete: false, keeps_lease: true, ..Self::new(leased, delivered, None, now) }
    }

    /// Whether every recipient of the message was delivered in this attempt and nobody is told, so that nothing needs to be looked up.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether a report is committed with it.
    pub(super) fn has_report(&self) -> bool {
        self.report.is_some()
    }

    /// The message.
    pub(super) fn entry(&self) -> QueueId {
        self.delivery.entry
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

/// Deletes the entries of records that are complete.
pub(super) fn forget(script: &mut Script, complete: &[QueueId]) {
    if !complete.is_empty() {
        delete(script, "DELETE FROM recipients WHERE entry IN (", complete);
        delete(script, "DELETE FROM deliveries WHERE entry IN (", complete);
        delete(script, "DELETE FROM entries WHERE id IN (", complete);
    }
}

fn delete(script: &mut Script, statement: &'static str, ids: &[QueueId]) {
    let mut ids_of = script.sql.push(statement).separated(", ");
    for id in ids {
        ids_of.push_bind(id.as_bytes().to_vec());
    }
    script.sql.push(");");
}

/// Records one by one, and ends the lease. If that is another's by now, only what was delivered counts.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    record: &Record,
) -> Result<Written, sqlx::Error> {
    let owned = is_owned(connection, &record.delivery, record.lease).await?;
    let counts = |outcome: &Outcome| owned || is_delivered(outcome);
    let mut is_news = true;
    for (number, outcome) in record.outcomes.iter().filter(|(_, outcome)| counts(outcome)) {
        is_news &= set_outcome(connection, record, *number, outcome).await?;
    }
    if record.keeps_lease {
        let goes_on = owned && !is_held(connection, record.delivery.entry).await?;
        return Ok(Written { recorded: Recorded::Kept, gone: false, goes_on });
    }
    let all_kept = record.outcomes.iter().all(|(_, outcome)| counts(outcome));
    let recorded = match &record.report {
        _ if !all_kept => Recorded::TakenOver,
        None => Recorded::Kept,
        // Who has the message by this has it only once, and nobody else tells of it.
        Some(_) if !(owned || is_news) => Recorded::KeptWithoutReport,
        Some(report) => {
            write_report(connection, record.delivery.entry, report).await?;
            Recorded::Kept
        }
    };
    match settle::leave(connection, record.delivery.entry, record.now).await? {
        Left::Message => return Ok(Written { recorded, gone: true, goes_on: false }),
        Left::Nothing if owned => end_lease(connection, &record.delivery).await?,
        Left::Nothing => on(record.delivery.entry, SET_DUE).execute(connection).await.map(drop)?,
    }
    Ok(Written { recorded, gone: false, goes_on: false })
}

async fn is_held(connection: &mut SqliteConnection, id: QueueId) -> Result<bool, sqlx::Error> {
    let held = sqlx::query_scalar("SELECT held FROM entries WHERE id = $1").bind(id.as_bytes().to_vec());
    held.fetch_one(connection).await
}

const TELL_DELAY: &str = "UPDATE recipients SET delay_told = true WHERE entry = $1 AND number = $2";

/// Commits the report, and that it tells who is late.
async fn write_report(
    connection: &mut SqliteConnection,
    about: QueueId,
    report: &Report,
) -> Result<(), sqlx::Error> {
    for number in &report.late {
        on(about, TELL_DELAY).bind(*number).execute(&mut *connection).await?;
    }
    Script::within(&[&report.row]).run(connection).await.map(drop)
}

const IS_OWNED: &str = "SELECT EXISTS (SELECT 1 FROM deliveries \
     WHERE entry = $1 AND destination = $2 AND lease_owner = $3 AND lease_token = $4)";

/// Whether this is the lease that there is.
pub(super) async fn is_owned(
    connection: &mut SqliteConnection,
    delivery: &DeliveryKey,
    lease: Lease,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(IS_OWNED)
        .bind(delivery.entry.as_bytes().to_vec())
        .bind(delivery.destination.to_shared())
        .bind(lease.owner.as_bytes().to_vec())
        .bind(lease.token)
        .fetch_one(connection)
        .await
}

const END_LEASE: &str = concat!(
    "UPDATE deliveries SET lease_owner = NULL, due_at = ",
    due!(),
    " WHERE entry = $1 AND destination = $2"
);

pub(super) async fn end_lease(
    connection: &mut SqliteConnection,
    delivery: &DeliveryKey,
) -> Result<(), sqlx::Error> {
    let end = on(delivery.entry, END_LEASE).bind(delivery.destination.to_shared());
    end.execute(connection).await.map(drop)
}

/// A recipient that has the message keeps its state, whatever comes later. Whether it did not have it.
async fn set_outcome(
    connection: &mut SqliteConnection,
    record: &Record,
    number: u32,
    outcome: &Outcome,
) -> Result<bool, sqlx::Error> {
    let (reply, host, next_attempt_at, told) = match outcome {
        Outcome::Failed { reply, host, told } => (reply, host, None, *told),
        Outcome::Delivered { reply, host, .. } | Outcome::Held { reply: Some(reply), host } => {
            (reply, host, None, false)
        }
        Outcome::Deferred { reply, host, next_attempt_at } => (reply, host, Some(*next_attempt_at), false),
        Outcome::Held { reply: None, .. } => return keep_back(connection, record, number).await,
        Outcome::Returned { reply, told } => return give_up(connection, record, number, reply, *told).await,
    };
    sqlx::query(
        "UPDATE recipients SET state = $1, attempts = attempts + 1, next_attempt_at = $2, last_reply = $3, \
         last_host = $4, told = told OR $7 WHERE entry = $5 AND number = $6 AND state <> 'delivered'",
    )
    .bind(outcome.state().name())
    .bind(next_attempt_at.map(|at| at.max(record.now).as_millisecond()))
    .bind(reply.clone())
    .bind(host.clone())
    .bind(record.delivery.entry.as_bytes().to_vec())
    .bind(number)
    .bind(told)
    .execute(connection)
    .await
    .map(|done| done.rows_affected() > 0)
}

/// No attempt was made, and none is counted.
async fn keep_back(
    connection: &mut SqliteConnection,
    record: &Record,
    number: u32,
) -> Result<bool, sqlx::Error> {
    let hold = "UPDATE recipients SET state = 'held', next_attempt_at = NULL \
                WHERE entry = $1 AND number = $2 AND state <> 'delivered'";
    sqlx::query(hold)
        .bind(record.delivery.entry.as_bytes().to_vec())
        .bind(number)
        .execute(connection)
        .await
        .map(|done| done.rows_affected() > 0)
}

/// The same; who was asked last is still known.
async fn give_up(
    connection: &mut SqliteConnection,
    record: &Record,
    number: u32,
    reply: &str,
    told: bool,
) -> Result<bool, sqlx::Error> {
    let give_up = "UPDATE recipients SET state = 'failed', next_attempt_at = NULL, last_reply = $1, told = told OR $2 \
                   WHERE entry = $3 AND number = $4 AND state <> 'delivered'";
    sqlx::query(give_up)
        .bind(reply.to_owned())
        .bind(told)
        .bind(record.delivery.entry.as_bytes().to_vec())
        .bind(number)
        .execute(connection)
        .await
        .map(|done| done.rows_affected() > 0)
}
