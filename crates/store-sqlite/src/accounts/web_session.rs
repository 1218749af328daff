//! Browser sessions as rows.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};
use store::{Account, Act, Action, AuditEvent, Corrupt, Error, WebSession, WebSessions};
use types::{AccountId, WebSessionId};

use super::account::row::{account, columns, normal};
use super::prune::far_ahead;
use super::{SqliteAccounts, audit};
use crate::failure::unavailable;
use crate::row::{Columns, octets, time};

/// The columns of a session, whose table is `s`, under names that do not clash with those of its account.
macro_rules! joined {
    ($condition:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", s.id AS session, s.account, s.version AS of_version, s.made_at, s.seen_at, s.confirmed_at, s.ends_at, s.ip, s.agent \
             FROM web_sessions s JOIN accounts a ON a.id = s.account WHERE ",
            $condition
        )
    };
}

impl WebSessions for SqliteAccounts {
    async fn open_session(&self, session: &WebSession, digest: &[u8; 32], at_most: u32) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        see_version(&mut transaction, session).await?;
        make_room(&mut transaction, session, at_most).await.map_err(unavailable)?;
        insert(&mut transaction, session, digest).await.map_err(unavailable)?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn session_by_digest(&self, digest: &[u8; 32]) -> Result<Option<(WebSession, Account)>, Error> {
        let one = sqlx::query(joined!("s.digest = $1")).bind(digest.to_vec());
        let row = one.fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((session(&row)?, account(&row)?)))
    }

    async fn renew_session(
        &self,
        old: &[u8; 32],
        new: &[u8; 32],
        version: i64,
        at: Timestamp,
    ) -> Result<bool, Error> {
        let update = sqlx::query(
            "UPDATE web_sessions SET digest = $1, version = $2, confirmed_at = $3, seen_at = $3 WHERE digest = $4 \
             AND EXISTS (SELECT 1 FROM accounts a WHERE a.id = web_sessions.account AND a.version = $2 AND NOT a.disabled)",
        );
        let update = update.bind(new.to_vec()).bind(version).bind(at.as_millisecond()).bind(old.to_vec());
        let renewed = update.execute(self.database.writer()?).await.map_err(unavailable)?;
        Ok(renewed.rows_affected() > 0)
    }

    async fn sessions(&self, account: AccountId) -> Result<Vec<WebSession>, Error> {
        let all = sqlx::query(joined!(
            "s.account = $1 AND s.version = a.version ORDER BY s.made_at DESC, s.id DESC"
        ));
        let all = all.bind(account.as_bytes().to_vec());
        let rows = all.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(session(row)?)).collect()
    }

    async fn end_session(&self, account: AccountId, id: WebSessionId, act: &Act) -> Result<bool, Error> {
        let mut transaction = self.begin().await?;
        let delete = sqlx::query("DELETE FROM web_sessions WHERE account = $1 AND id = $2");
        let delete = delete.bind(account.as_bytes().to_vec()).bind(id.as_bytes().to_vec());
        if delete.execute(&mut *transaction).await.map_err(unavailable)?.rows_affected() == 0 {
            return Ok(false);
        }
        ended(&mut transaction, account, id, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn end_sessions(
        &self,
        account: AccountId,
        but: Option<WebSessionId>,
        act: &Act,
    ) -> Result<u64, Error> {
        let mut transaction = self.begin().await?;
        let ended = end_all(&mut transaction, account, but, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(ended)
    }

    async fn count_sessions(&self) -> Result<u64, Error> {
        let count = sqlx::query_scalar("SELECT count(*) FROM web_sessions");
        let count: i64 = count.fetch_one(self.database.readers()?).await.map_err(unavailable)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    async fn prune_sessions(&self, used_since: Timestamp, now: Timestamp) -> Result<u64, Error> {
        let delete =
            sqlx::query("DELETE FROM web_sessions WHERE ends_at <= $1 OR seen_at NOT BETWEEN $2 AND $3");
        let delete = delete.bind(now.as_millisecond()).bind(used_since.as_millisecond());
        let delete = delete.bind(far_ahead(now).as_millisecond()).execute(self.database.writer()?);
        Ok(delete.await.map_err(unavailable)?.rows_affected())
    }

    fn session_seen(&self, id: WebSessionId, at: Timestamp) {
        self.notes.session_seen(id, at);
    }
}

/// Ends all sessions of an account but the one that the act is done in.
pub(super) async fn end_others(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    act: &Act,
) -> Result<(), Error> {
    let own = act.session.as_deref().and_then(|session| session.parse().ok());
    end_all(transaction, account, own, act).await.map(drop)
}

/// Ends all sessions of an account but that one, and tells each to the audit trail; how many.
pub(super) async fn end_all(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    but: Option<WebSessionId>,
    act: &Act,
) -> Result<u64, Error> {
    let delete = "DELETE FROM web_sessions WHERE account = $1 AND id <> $2 RETURNING id";
    let delete = sqlx::query_scalar(delete).bind(account.as_bytes().to_vec());
    let delete = delete.bind(but.map(|id| id.as_bytes().to_vec()).unwrap_or_default());
    let gone: Vec<Vec<u8>> = delete.fetch_all(&mut **transaction).await.map_err(unavailable)?;
    for id in &gone {
        let id = octets(id).ok_or_else(|| Corrupt::on("web_sessions", "?", "id"))?;
        ended(transaction, account, WebSessionId::from_bytes(id), act).await?;
    }
    Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
}

/// Sees that the account still has the version of the session.
async fn see_version(transaction: &mut Transaction<'_, Sqlite>, session: &WebSession) -> Result<(), Error> {
    let version = sqlx::query_scalar("SELECT version FROM accounts WHERE id = $1");
    let version = version.bind(session.account.as_bytes().to_vec());
    let version: Option<i64> = version.fetch_optional(&mut **transaction).await.map_err(unavailable)?;
    match version.ok_or(Error::NotFound)? == session.version {
        true => Ok(()),
        false => Err(Error::Changed),
    }
}

/// Ends the sessions of other versions of the account, and the oldest that would be too many with a new one.
async fn make_room(
    transaction: &mut Transaction<'_, Sqlite>,
    session: &WebSession,
    at_most: u32,
) -> Result<(), sqlx::Error> {
    let over = sqlx::query("DELETE FROM web_sessions WHERE account = $1 AND version <> $2");
    let over = over.bind(session.account.as_bytes().to_vec()).bind(session.version);
    over.execute(&mut **transaction).await?;
    let oldest = sqlx::query(
        "DELETE FROM web_sessions WHERE id IN (SELECT id FROM web_sessions WHERE account = $1 \
         ORDER BY made_at DESC, id DESC LIMIT $2 OFFSET $3)",
    );
    let oldest = oldest.bind(session.account.as_bytes().to_vec()).bind(u32::MAX);
    oldest.bind(at_most.saturating_sub(1)).execute(&mut **transaction).await.map(drop)
}

async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    session: &WebSession,
    digest: &[u8; 32],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO web_sessions (id, digest, account, version, made_at, seen_at, confirmed_at, ends_at, ip, agent) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(session.id.as_bytes().to_vec())
    .bind(digest.to_vec())
    .bind(session.account.as_bytes().to_vec())
    .bind(session.version)
    .bind(session.made_at.as_millisecond())
    .bind(session.seen_at.as_millisecond())
    .bind(session.confirmed_at.as_millisecond())
    .bind(session.ends_at.as_millisecond())
    .bind(session.ip.to_string())
    .bind(&session.agent)
    .execute(&mut **transaction)
    .await
    .map(drop)
}

/// Enters into the audit trail that a session was ended: by its owner, who signs out, or from outside of it.
async fn ended(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    id: WebSessionId,
    act: &Act,
) -> Result<(), Error> {
    let action = match act.session.as_deref() == Some(&id.to_string()) {
        true => Action::SignOut,
        false => Action::SessionEnd,
    };
    let event = AuditEvent::change(action, normal(transaction, account).await?, act).about(id);
    audit::enter(transaction, &event).await
}

fn session(row: &SqliteRow) -> Result<WebSession, Corrupt> {
    let unknown = Columns::of(row, "web_sessions", "?");
    let id = unknown.read("session", |id: &[u8]| octets(id).map(WebSessionId::from_bytes))?;
    let columns = Columns::of(row, "web_sessions", id);
    Ok(WebSession {
        id,
        account: columns.read("account", |id: &[u8]| octets(id).map(AccountId::from_bytes))?,
        version: columns.take("of_version")?,
        made_at: columns.read("made_at", time)?,
        seen_at: columns.read("seen_at", time)?,
        confirmed_at: columns.read("confirmed_at", time)?,
        ends_at: columns.read("ends_at", time)?,
        ip: columns.read("ip", |ip: &str| ip.parse().ok())?,
        agent: columns.take("agent")?,
    })
}
