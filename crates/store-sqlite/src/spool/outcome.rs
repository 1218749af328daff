//! What became of recipients.

use jiff::Timestamp;
use sqlx::SqliteConnection;
use store::{DeliveryKey, Lease, Leased, Outcome, Recorded, Telling};
use types::{QueueId, ReportEvent};

use super::change::{SET_DUE, due, on};
use super::script::Script;
use super::settle::{self, Left};
use super::submit::Submit;
use super::tell;

/// Outcomes of an attempt, to be recorded.
#[derive(Debug)]
pub(super) struct Record {
    delivery: DeliveryKey,
    lease: Lease,
    outcomes: Vec<(u32, Outcome)>,
    /// What its sender is to be told, of whom by number.
    news: Vec<(u32, ReportEvent)>,
    /// When that is told at the latest.
    tell_by: Timestamp,
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
        telling: Option<Telling>,
        now: Timestamp,
    ) -> Self {
        let complete = telling.is_none() && all_delivered(leased, &outcomes);
        let Telling { news, by, report } = telling.unwrap_or_else(|| nothing(now));
        let report = report.map(|report| Report { late: report.late.clone(), row: Submit::report(report) });
        let (delivery, lease) = (leased.key(), leased.lease);
        Self { delivery, lease, outcomes, news, tell_by: by, report, now, complete, keeps_lease: false }
    }

    /// Of recipients who have the message, while others of the delivery are still to be tried.
    pub(super) fn of_some(
        leased: &Leased,
        delivered: Vec<(u32, Outcome)>,
        telling: Option<Telling>,
        now: Timestamp,
    ) -> Self {
        Self { complete: false, keeps_lease: true, ..Self::new(leased, delivered, telling, now) }
    }

    /// What is news of a recipient, and when it is told at the latest.
    fn news_of(&self, number: u32) -> (Option<&'static str>, Option<i64>) {
        let news = self.news.iter().find(|(about, _)| *about == number).map(|(_, news)| news.name());
        (news, news.map(|_| self.tell_by.as_millisecond()))
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

fn nothing(now: Timestamp) -> Telling {
    Telling { news: Vec::new(), by: now, report: None }
}

fn all_delivered(leased: &Leased, outcomes: &[(u32, Outcome)]) -> bool {
    let delivered = |number| outcomes.iter().any(|(n, outcome)| *n == number && is_delivered(outcome));
    leased.recipients.len() == leased.submission.recipients.len()
        && leased.recipients.iter().all(|recipient| delivered(recipient.number))
}

fn is_delivered(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Delivered { .. })
}

/// Records one by one, and ends the lease. If that is another's by now, only what was delivered counts.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    record: &Record,
) -> Result<Written, sqlx::Error> {
    let id = record.delivery.entry;
    let owned = is_owned(connection, &record.delivery, record.lease).await?;
    let counts = |outcome: &Outcome| owned || is_delivered(outcome);
    for (number, outcome) in record.outcomes.iter().filter(|(_, outcome)| counts(outcome)) {
        set_outcome(connection, record, *number, outcome).await?;
    }
    if record.keeps_lease {
        let goes_on = owned && !is_held(connection, id).await?;
        return Ok(Written { recorded: Recorded::Kept, gone: false, goes_on });
    }
    // To the sender nothing is delivered: of a record of what it is told the lease counts alone.
    let all_kept = record.outcomes.iter().all(|(_, outcome)| counts(outcome))
        && (owned || !record.delivery.destination.is_sender());
    let recorded = match &record.report {
        _ if !all_kept => Recorded::TakenOver,
        None => Recorded::Kept,
        Some(_) if !tell::are_news(connection, id, &record.news).await? => Recorded::KeptWithoutReport,
        Some(report) => {
            tell::told(connection, id, &record.news, &report.late).await?;
            Script::within(&report.row).run(connection).await?;
            Recorded::Kept
        }
    };
    let gone = leave(connection, record, owned).await?;
    Ok(Written { recorded, gone, goes_on: false })
}

/// Lets the message go if nothing is left to be done for it, or else the lease; whether it is gone.
async fn leave(connection: &mut SqliteConnection, record: &Record, owned: bool) -> Result<bool, sqlx::Error> {
    let id = record.delivery.entry;
    match settle::leave(connection, id, record.now).await? {
        Left::Message => return Ok(true),
        Left::Untold => tell::arrange(connection, id, record.now).await?,
        Left::Nothing => {}
    }
    match owned {
        true => end_lease(connection, &record.delivery).await?,
        false => on(id, SET_DUE).execute(connection).await.map(drop)?,
    }
    Ok(false)
}

async fn is_held(connection: &mut SqliteConnection, id: QueueId) -> Result<bool, sqlx::Error> {
    let held = sqlx::query_scalar("SELECT held FROM entries WHERE id = $1").bind(id.as_bytes().to_vec());
    held.fetch_one(connection).await
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

/// A recipient that has the message keeps its state, whatever comes later. Lateness is told once, and news by the time that was set for it first.
async fn set_outcome(
    connection: &mut SqliteConnection,
    record: &Record,
    number: u32,
    outcome: &Outcome,
) -> Result<(), sqlx::Error> {
    let (reply, host, next_attempt_at, told) = match outcome {
        Outcome::Failed { reply, host, told, .. } => (reply, host, None, *told),
        Outcome::Delivered { reply, host, .. } | Outcome::Held { reply: Some(reply), host } => {
            (reply, host, None, false)
        }
        Outcome::Deferred { reply, host, next_attempt_at, .. } => {
            (reply, host, Some(*next_attempt_at), false)
        }
        Outcome::Held { reply: None, .. } => return keep_back(connection, record, number).await,
        Outcome::Returned { reply, told } => return give_up(connection, record, number, reply, *told).await,
    };
    let (news, tell_at) = record.news_of(number);
    sqlx::query(
        "UPDATE recipients SET state = $1, attempts = attempts + 1, next_attempt_at = $2, last_reply = $3, \
         last_host = $4, told = told OR $7, said_by_host = $10, tried_at = $11, \
         news = CASE WHEN $8 = 'late' AND delay_told THEN NULL ELSE $8 END, \
         tell_at = CASE WHEN $8 = 'late' AND delay_told THEN NULL WHEN news = $8 AND tell_at < $9 THEN tell_at ELSE $9 END \
         WHERE entry = $5 AND number = $6 AND state <> 'delivered'",
    )
    .bind(outcome.state().name())
    .bind(next_attempt_at.map(|at| at.max(record.now).as_millisecond()))
    .bind(reply.clone())
    .bind(host.clone())
    .bind(record.delivery.entry.as_bytes().to_vec())
    .bind(number)
    .bind(told && news.is_none())
    .bind(news)
    .bind(tell_at)
    .bind(outcome.is_said_by_host())
    .bind(record.now.as_millisecond())
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
    on(record.delivery.entry, hold).bind(number).execute(connection).await.map(drop)
}

/// No attempt was made at a recipient that is returned, and none is counted; who was asked last is still known.
async fn give_up(
    connection: &mut SqliteConnection,
    record: &Record,
    number: u32,
    reply: &str,
    told: bool,
) -> Result<(), sqlx::Error> {
    let give_up = "UPDATE recipients SET state = 'failed', next_attempt_at = NULL, last_reply = $1, told = told OR $2, \
                   news = $5, tell_at = $6 WHERE entry = $3 AND number = $4 AND state <> 'delivered'";
    let (news, tell_at) = record.news_of(number);
    sqlx::query(give_up)
        .bind(reply.to_owned())
        .bind(told && news.is_none())
        .bind(record.delivery.entry.as_bytes().to_vec())
        .bind(number)
        .bind(news)
        .bind(tell_at)
        .execute(connection)
        .await
        .map(drop)
}
