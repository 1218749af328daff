//! What senders are still to be told: it waits with the recipients that it is about, and is a delivery to the sender.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqlitePool};
use store::{Destination, Reportable};
use types::{QueueId, ReportEvent};

use super::change::{due, on};
use crate::row::{lossy, maybe, text, time};

const NEWS: &str = "SELECT number, news FROM recipients WHERE entry = $1 AND news IS NOT NULL";
const TOLD: &str = "UPDATE recipients SET told = told OR state = 'failed', delay_told = delay_told OR news = 'late', \
     news = NULL, tell_at = NULL WHERE entry = $1 AND number = $2";
const TOLD_LATE: &str = "UPDATE recipients SET delay_told = true WHERE entry = $1 AND number = $2";
/// Nothing is waited for if nobody else is to be tried before. The time is the second parameter.
const HASTEN: &str = "UPDATE recipients SET tell_at = $2 WHERE entry = $1 AND tell_at > $2 AND NOT EXISTS \
     (SELECT 1 FROM recipients AS others WHERE others.entry = $1 AND others.state IN ('queued', 'deferred') \
     AND others.next_attempt_at <= recipients.tell_at)";
/// The destination is the second parameter.
const MAKE: &str = "INSERT INTO deliveries (entry, destination, lease_token, priority) \
     SELECT id, $2, 0, priority FROM entries WHERE id = $1 ON CONFLICT (entry, destination) DO NOTHING";
const SET_DUE: &str =
    concat!("UPDATE deliveries SET due_at = ", due!(), " WHERE entry = $1 AND destination = $2");
const REPORTABLE: &str = "SELECT number, destination, news, NOT delay_told AND state = 'deferred' AS may_be_late, last_reply, \
     last_host, said_by_host, tried_at FROM recipients WHERE entry = $1 ORDER BY number";

/// Whether these are news that nobody has told yet.
pub(super) async fn are_news(
    connection: &mut SqliteConnection,
    about: QueueId,
    news: &[(u32, ReportEvent)],
) -> Result<bool, sqlx::Error> {
    if news.is_empty() {
        return Ok(true);
    }
    let rows = on(about, NEWS).fetch_all(connection).await?;
    let known = |row: &SqliteRow| Some((row.try_get("number").ok()?, event(row)?));
    let known: HashMap<u32, ReportEvent> = rows.iter().filter_map(known).collect();
    Ok(news.iter().all(|(number, event)| known.get(number) == Some(event)))
}

/// Notes that a report tells this news, and who is late.
pub(super) async fn told(
    connection: &mut SqliteConnection,
    about: QueueId,
    news: &[(u32, ReportEvent)],
    late: &[u32],
) -> Result<(), sqlx::Error> {
    for (number, _) in news {
        on(about, TOLD).bind(*number).execute(&mut *connection).await?;
    }
    for number in late {
        on(about, TOLD_LATE).bind(*number).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Has an entry with news leased when it is to be told.
pub(super) async fn arrange(
    connection: &mut SqliteConnection,
    about: QueueId,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let sender = Destination::sender().to_shared();
    on(about, HASTEN).bind(now.as_millisecond()).execute(&mut *connection).await?;
    on(about, MAKE).bind(sender.clone()).execute(&mut *connection).await?;
    on(about, SET_DUE).bind(sender).execute(connection).await.map(drop)
}

pub(super) async fn reportable(readers: &SqlitePool, about: QueueId) -> Result<Vec<Reportable>, sqlx::Error> {
    let rows = on(about, REPORTABLE).fetch_all(readers).await?;
    let reportable = |row: &SqliteRow| {
        Some(Reportable {
            number: row.try_get("number").ok()?,
            destination: text(row, "destination").into(),
            news: event(row),
            may_be_late: row.try_get("may_be_late").ok()?,
            reply: lossy(row, "last_reply"),
            host: lossy(row, "last_host"),
            said_by_host: row.try_get("said_by_host").ok()?,
            tried_at: maybe(row, "tried_at").and_then(time),
        })
    };
    Ok(rows.iter().filter_map(reportable).collect())
}

fn event(row: &SqliteRow) -> Option<ReportEvent> {
    ReportEvent::from_name(&text(row, "news"))
}
