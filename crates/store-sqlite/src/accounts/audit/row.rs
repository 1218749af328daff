//! Entries of the trail as rows. What is absent is the empty text there, so that rows which are alike are equal.

use std::borrow::Cow;
use std::net::IpAddr;
use std::str::FromStr;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};
use store::{AuditEntry, AuditEvent, AuditResult, Corrupt, Via};

use crate::row::{Columns, Query, time};

/// Events alike that are no further apart than this, in milliseconds, are one entry.
pub(super) const TOGETHER: i64 = 60 * 60 * 1000;

/// Adds the entry.
pub(super) async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    entry: &AuditEntry,
) -> Result<(), sqlx::Error> {
    let insert = "INSERT INTO audit (action, result, reason, account, credential, mechanism, scope, ip, tls, done_by, via, \
                  session, first_at, at, count) \
                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
    let insert = bind_merged(bind_alike(sqlx::query(insert), entry), entry);
    insert.execute(&mut **transaction).await.map(drop)
}

/// Adds the entry to one like it that began a short while before; `false` if there is none.
pub(super) async fn merge(
    transaction: &mut Transaction<'_, Sqlite>,
    entry: &AuditEntry,
) -> Result<bool, sqlx::Error> {
    let Some((id, mut present)) = lock(transaction, entry).await? else { return Ok(false) };
    present.merge(entry.clone());
    let update = "UPDATE audit SET session = $2, first_at = $3, at = $4, count = $5 WHERE id = $1";
    bind_merged(sqlx::query(update).bind(id), &present).execute(&mut **transaction).await.map(|_| true)
}

/// The newest entry like this one that began a short while before, with its number; its row is locked. What is damaged is like nothing.
async fn lock(
    transaction: &mut Transaction<'_, Sqlite>,
    entry: &AuditEntry,
) -> Result<Option<(i64, AuditEntry)>, sqlx::Error> {
    let lock = "UPDATE audit SET count = count WHERE id = (SELECT id FROM audit WHERE action = $1 AND result = $2 \
                AND reason = $3 AND account = $4 AND credential = $5 AND mechanism = $6 AND scope = $7 AND ip = $8 \
                AND tls = $9 AND done_by = $10 AND via = $11 AND first_at BETWEEN $12 AND $13 \
                ORDER BY first_at DESC LIMIT 1) RETURNING *";
    let at = entry.event.at.as_millisecond();
    let lock = bind_alike(sqlx::query(lock), entry).bind(at - TOGETHER).bind(at);
    let row = lock.fetch_optional(&mut **transaction).await?;
    Ok(row.and_then(|row| Some((id(&row), read(&row).ok()?))))
}

/// What entries that are alike have in common: 11 parameters.
fn bind_alike(query: Query, entry: &AuditEntry) -> Query {
    let event = &entry.event;
    query
        .bind(event.action.name())
        .bind(event.result.name())
        .bind(event.reason.clone().into_owned())
        .bind(event.account.clone().unwrap_or_default())
        .bind(event.credential.clone().unwrap_or_default())
        .bind(event.mechanism.clone().unwrap_or_default())
        .bind(event.scope.clone().unwrap_or_default())
        .bind(event.ip.map(|ip| ip.to_canonical().to_string()).unwrap_or_default())
        .bind(event.tls.clone().unwrap_or_default())
        .bind(event.actor.clone().unwrap_or_default())
        .bind(event.via.map(Via::name).unwrap_or_default())
}

/// What changes when another is merged into one: 4 parameters.
fn bind_merged(query: Query, entry: &AuditEntry) -> Query {
    query
        .bind(entry.event.session.clone().unwrap_or_default())
        .bind(entry.first_at.as_millisecond())
        .bind(entry.event.at.as_millisecond())
        .bind(i64::try_from(entry.count).unwrap_or(i64::MAX))
}

pub(super) fn read(row: &SqliteRow) -> Result<AuditEntry, Corrupt> {
    let columns = Columns::of(row, "audit", id(row));
    Ok(AuditEntry {
        event: event(&columns)?,
        first_at: columns.read("first_at", time)?,
        count: columns.read("count", |count: i64| u64::try_from(count).ok())?,
    })
}

/// An address, and when somebody first logged in from there.
pub(super) fn first_login(row: &SqliteRow) -> Result<(IpAddr, Timestamp), Corrupt> {
    let columns = Columns::of(row, "audit", "?");
    Ok((columns.read("ip", |ip: &str| ip.parse().ok())?, columns.read("first_at", time)?))
}

/// The number of the entry.
pub(super) fn id(row: &SqliteRow) -> i64 {
    row.try_get("id").unwrap_or_default()
}

fn event(columns: &Columns<'_>) -> Result<AuditEvent, Corrupt> {
    Ok(AuditEvent {
        at: columns.read("at", time)?,
        action: columns.read("action", |name: &str| name.parse().ok())?,
        result: columns.read("result", AuditResult::from_name)?,
        reason: Cow::Owned(columns.take("reason")?),
        account: present(columns, "account")?,
        credential: present(columns, "credential")?,
        mechanism: present(columns, "mechanism")?,
        scope: present(columns, "scope")?,
        ip: present(columns, "ip")?,
        tls: present(columns, "tls")?,
        session: present(columns, "session")?,
        actor: present(columns, "done_by")?,
        via: columns.read("via", via)?,
    })
}

/// The means, or none at all.
fn via(name: &str) -> Option<Option<Via>> {
    if name.is_empty() { Some(None) } else { Via::from_name(name).map(Some) }
}

fn present<T: FromStr>(columns: &Columns<'_>, column: &'static str) -> Result<Option<T>, Corrupt> {
    let parse = |text: &str| if text.is_empty() { Some(None) } else { text.parse().ok().map(Some) };
    columns.read(column, parse)
}
