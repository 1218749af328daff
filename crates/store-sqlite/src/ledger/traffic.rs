//! What was handed in since a time, in figures.

use jiff::Timestamp;
use sqlx::SqlitePool;
use sqlx::sqlite::SqliteRow;
use store::{LedgerState, Traffic, TrafficOf};

use super::select::{first_of, was_removed};
use crate::row::{maybe, text, time};

/// Milliseconds.
const HOUR: i64 = 3_600_000;

const HOURS: &str = "SELECT accepted_at / 3600000 AS hour, count(*) AS messages FROM messages WHERE id >= $1 \
                     GROUP BY accepted_at / 3600000 ORDER BY accepted_at / 3600000";

/// What was removed before it was delivered does not wait any more. `state` and `removed` are few, the recipients many: they are counted first.
const RECIPIENTS: &str = concat!(
    "SELECT state, removed, count(*) AS count FROM (SELECT state, CASE WHEN state IN ('delivered', 'failed') THEN false ELSE ",
    was_removed!("recipients.message"),
    " END AS removed FROM recipients WHERE message >= $1) r GROUP BY state, removed"
);

const BUSIEST: &str = "SELECT account_address, count(*) AS messages, sum(recipients) AS recipients FROM messages \
                       WHERE id >= $1 GROUP BY account_address ORDER BY count(*) DESC, account_address LIMIT 10";

pub(super) async fn since(readers: &SqlitePool, since: Timestamp) -> Result<Traffic, sqlx::Error> {
    let first = first_of(since).as_bytes().to_vec();
    let mut rows = [const { Vec::new() }; 3];
    for (query, rows) in [HOURS, RECIPIENTS, BUSIEST].into_iter().zip(&mut rows) {
        *rows = sqlx::query(query).bind(first.clone()).fetch_all(readers).await?;
    }
    let [hours, recipients, busiest] = rows;
    Ok(Traffic {
        hours: hours.iter().filter_map(hour).collect(),
        recipients: recipients.iter().map(recipient).collect(),
        busiest: busiest.iter().map(busy).collect(),
    })
}

fn number(row: &SqliteRow, column: &str) -> u64 {
    maybe(row, column).unwrap_or_default()
}

fn hour(row: &SqliteRow) -> Option<(Timestamp, u64)> {
    let hour: i64 = maybe(row, "hour")?;
    Some((time(hour.saturating_mul(HOUR))?, number(row, "messages")))
}

fn recipient(row: &SqliteRow) -> (LedgerState, u64) {
    let state = LedgerState::from_name(&text(row, "state")).unwrap_or(LedgerState::Held);
    let removed = maybe(row, "removed").unwrap_or_default();
    (if removed { LedgerState::Cancelled } else { state }, number(row, "count"))
}

fn busy(row: &SqliteRow) -> TrafficOf {
    TrafficOf {
        account: text(row, "account_address"),
        messages: number(row, "messages"),
        recipients: number(row, "recipients"),
    }
}
