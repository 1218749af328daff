//! The audit trail.

pub(super) mod gathered;
pub(super) mod trail;
mod row;

use std::net::IpAddr;

use futures_util::TryStreamExt as _;
use jiff::Timestamp;
use sqlx::{QueryBuilder, Sqlite, Transaction};
use store::{
    Action, Audit, AuditEntry, AuditEvent, AuditFilter, AuditPage, AuditPlace, AuditResult, Error, Page,
};

use super::SqliteAccounts;
use super::prune::far_ahead;
use crate::failure::unavailable;

impl Audit for SqliteAccounts {
    fn note(&self, event: AuditEvent) {
        self.notes.event(event);
    }

    async fn record(&self, event: &AuditEvent) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        let entry = AuditEntry::from(event.clone());
        trail::write(&mut transaction, [entry]).await.map_err(unavailable)?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn entries(&self, filter: &AuditFilter, page: Page<AuditPlace>) -> Result<AuditPage, Error> {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let (mut query, mut entries, mut last) = (select(filter, page.after), Vec::new(), None);
        let mut rows = query.build().persistent(false).fetch(self.database.readers()?);
        while entries.len() < limit
            && let Some(row) = rows.try_next().await.map_err(unavailable)?
        {
            let entry = row::read(&row)?;
            if comes_from(&entry, filter) {
                last = Some((entry.event.at, row::id(&row)));
                entries.push(entry);
            }
        }
        Ok(AuditPage { entries, last })
    }

    async fn first_logins(&self, account: &str, since: Timestamp) -> Result<Vec<(IpAddr, Timestamp)>, Error> {
        let first = sqlx::query(
            "SELECT ip, min(first_at) AS first_at FROM audit \
             WHERE account = $1 AND action = $2 AND result = $3 AND ip <> '' AND at >= $4 GROUP BY ip",
        );
        let first = first.bind(account.to_owned()).bind(Action::Login.name());
        let first = first.bind(AuditResult::Success.name()).bind(since.as_millisecond());
        let rows = first.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(row::first_login(row)?)).collect()
    }

    async fn prune(&self, before: Timestamp, now: Timestamp) -> Result<u64, Error> {
        let old = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < $1 LIMIT $2)";
        let old = self.database.forget(old, before).await?;
        // Ids grow: what was entered before anything that is left is as old as what is gone.
        let ahead = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at > $1 \
                     AND id < (SELECT min(id) FROM audit WHERE at <= $1) LIMIT $2)";
        Ok(old + self.database.forget(ahead, far_ahead(now)).await?)
    }
}

impl SqliteAccounts {
    /// The entries that were begun behind this one, oldest first, each with its number. What is damaged is nothing to tell.
    pub(super) async fn entered_behind(
        &self,
        number: i64,
        at_most: u32,
    ) -> Result<Vec<(i64, AuditEvent)>, Error> {
        let some = sqlx::query("SELECT * FROM audit WHERE id > $1 ORDER BY id LIMIT $2");
        let some = some.bind(number).bind(at_most).fetch_all(self.database.readers()?);
        let rows = some.await.map_err(unavailable)?;
        Ok(rows.iter().filter_map(|row| Some((row::id(row), row::read(row).ok()?.event))).collect())
    }
}

/// Enters a change into the trail, in the transaction that makes it. Each is an entry of its own, so that their
/// order can be seen: an attacker makes none.
pub(super) async fn enter(
    transaction: &mut Transaction<'_, Sqlite>,
    event: &AuditEvent,
) -> Result<(), Error> {
    row::insert(transaction, &AuditEntry::from(event.clone())).await.map_err(unavailable)
}

/// All that SQL can tell of the filter: it knows no networks.
fn select(filter: &AuditFilter, after: Option<AuditPlace>) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT * FROM audit WHERE true");
    if let Some(account) = &filter.account {
        query.push(" AND account = ").push_bind(account.clone());
    }
    if let Some(action) = filter.action {
        query.push(" AND action = ").push_bind(action.name());
    }
    if let Some(result) = filter.result {
        query.push(" AND result = ").push_bind(result.name());
    }
    if let Some(credential) = &filter.credential {
        query.push(" AND credential = ").push_bind(credential.clone());
    }
    if let Some(actor) = &filter.actor {
        query.push(" AND done_by = ").push_bind(actor.clone());
    }
    if let Some(since) = filter.since {
        query.push(" AND at >= ").push_bind(since.as_millisecond());
    }
    if let Some((at, id)) = after {
        query.push(" AND (at, id) < (").push_bind(at.as_millisecond()).push(", ").push_bind(id).push(")");
    }
    query.push(" ORDER BY at DESC, id DESC");
    query
}

fn comes_from(entry: &AuditEntry, filter: &AuditFilter) -> bool {
    filter.network.is_none_or(|network| entry.event.ip.is_some_and(|ip| network.contains(&ip)))
}
