//! The audit trail as rows.

use sqlx::{Sqlite, Transaction};
use store::{AuditEvent, Error};

use crate::failure::unavailable;

/// Enters a change into the trail, in the transaction that makes it. Each is a row of its own, so that their order can be
/// seen: an attacker makes none.
pub(super) async fn enter(
    transaction: &mut Transaction<'_, Sqlite>,
    event: &AuditEvent,
) -> Result<(), Error> {
    insert(transaction, event).await.map_err(unavailable)
}

async fn insert(transaction: &mut Transaction<'_, Sqlite>, event: &AuditEvent) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO audit (first_at, at, count, action, result, reason, account, credential, mechanism, scope, ip, \
         tls, session) VALUES ($1, $1, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(event.at.as_millisecond())
    .bind(event.action.name())
    .bind(event.result.name())
    .bind(event.reason.as_ref())
    .bind(event.account.as_deref().unwrap_or_default())
    .bind(event.credential.as_deref().unwrap_or_default())
    .bind(event.mechanism.as_deref().unwrap_or_default())
    .bind(event.scope.as_deref().unwrap_or_default())
    .bind(event.ip.map(|ip| ip.to_string()).unwrap_or_default())
    .bind(event.tls.as_deref().unwrap_or_default())
    .bind(event.session.as_deref().unwrap_or_default())
    .execute(&mut **transaction)
    .await
    .map(drop)
}
