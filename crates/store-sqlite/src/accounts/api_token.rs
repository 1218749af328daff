//! API tokens as rows.

use std::net::IpAddr;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};
use store::{Account, Act, Action, ApiToken, ApiTokens, AuditEvent, Corrupt, Error};
use types::{AccountId, ApiTokenId};

use super::account::row::{account, columns, normal};
use super::app_password::row::{spaced, unspaced};
use super::{SqliteAccounts, audit};
use crate::failure::unavailable;
use crate::row::{Columns, octets, time};

/// The columns of a token, whose table is `t`, under names that do not clash with those of its account.
macro_rules! token_columns {
    () => {
        "t.id AS token, t.account, t.label, t.scopes, t.networks, t.created_at AS made_at, t.expires_at, t.last_used_at, \
         t.last_used_ip"
    };
}

impl ApiTokens for SqliteAccounts {
    async fn add_token(
        &self,
        token: &ApiToken,
        digest: &[u8; 32],
        at_most: u32,
        act: &Act,
    ) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        if count(&mut transaction, token.account, act.at).await? >= at_most {
            return Err(Error::TooMany);
        }
        insert(&mut transaction, token, digest).await.map_err(unavailable)?;
        enter(&mut transaction, Action::TokenCreate, token.account, token.id, act).await?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn token_by_digest(&self, digest: &[u8; 32]) -> Result<Option<(ApiToken, Account)>, Error> {
        let one = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            ", ",
            token_columns!(),
            " FROM api_tokens t JOIN accounts a ON a.id = t.account WHERE t.digest = $1",
        ));
        let one = one.bind(digest.to_vec());
        let row = one.fetch_optional(self.database.readers()?).await.map_err(unavailable)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((token(&row)?, account(&row)?)))
    }

    async fn tokens(&self, account: AccountId) -> Result<Vec<ApiToken>, Error> {
        let all = sqlx::query(concat!(
            "SELECT ",
            token_columns!(),
            " FROM api_tokens t WHERE t.account = $1 ORDER BY t.created_at, t.id",
        ));
        let all = all.bind(account.as_bytes().to_vec());
        let rows = all.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(token(row)?)).collect()
    }

    async fn revoke_token(&self, account: AccountId, id: ApiTokenId, act: &Act) -> Result<bool, Error> {
        let mut transaction = self.begin().await?;
        let delete = sqlx::query("DELETE FROM api_tokens WHERE account = $1 AND id = $2");
        let delete = delete.bind(account.as_bytes().to_vec()).bind(id.as_bytes().to_vec());
        if delete.execute(&mut *transaction).await.map_err(unavailable)?.rows_affected() == 0 {
            return Ok(false);
        }
        enter(&mut transaction, Action::TokenRevoke, account, id, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn prune_tokens(&self, before: Timestamp) -> Result<u64, Error> {
        let piece =
            "DELETE FROM api_tokens WHERE id IN (SELECT id FROM api_tokens WHERE expires_at < $1 LIMIT $2)";
        self.database.forget(piece, before).await
    }

    fn token_used(&self, id: ApiTokenId, at: Timestamp, ip: IpAddr) {
        self.notes.token_use(id, at, ip);
    }
}

/// How many tokens an account has that have not ended; the account must be there.
async fn count(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    now: Timestamp,
) -> Result<u32, Error> {
    let count = "SELECT (SELECT count(*) FROM api_tokens WHERE account = $1 AND expires_at > $2) \
                 FROM accounts WHERE id = $1";
    let count = sqlx::query_scalar(count).bind(account.as_bytes().to_vec()).bind(now.as_millisecond());
    count.fetch_optional(&mut **transaction).await.map_err(unavailable)?.ok_or(Error::NotFound)
}

/// Revokes every token of an account, and says so in the trail.
pub(super) async fn revoke_all(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    act: &Act,
) -> Result<(), Error> {
    let all = sqlx::query_scalar("SELECT id FROM api_tokens WHERE account = $1 ORDER BY created_at, id");
    let all = all.bind(account.as_bytes().to_vec());
    let all: Vec<Vec<u8>> = all.fetch_all(&mut **transaction).await.map_err(unavailable)?;
    for id in all {
        let id = octets(&id).ok_or_else(|| Corrupt::on("api_tokens", "?", "id"))?;
        enter(transaction, Action::TokenRevoke, account, ApiTokenId::from_bytes(id), act).await?;
    }
    let delete = sqlx::query("DELETE FROM api_tokens WHERE account = $1").bind(account.as_bytes().to_vec());
    delete.execute(&mut **transaction).await.map(drop).map_err(unavailable)
}

async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    token: &ApiToken,
    digest: &[u8; 32],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO api_tokens (id, account, digest, label, scopes, networks, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(token.id.as_bytes().to_vec())
    .bind(token.account.as_bytes().to_vec())
    .bind(digest.to_vec())
    .bind(&token.label)
    .bind(spaced(&token.scopes))
    .bind(spaced(&token.networks))
    .bind(token.created_at.as_millisecond())
    .bind(token.expires_at.as_millisecond())
    .execute(&mut **transaction)
    .await
    .map(drop)
}

/// Enters a change of a token into the audit trail.
async fn enter(
    transaction: &mut Transaction<'_, Sqlite>,
    action: Action,
    account: AccountId,
    id: ApiTokenId,
    act: &Act,
) -> Result<(), Error> {
    let event = AuditEvent::change(action, normal(transaction, account).await?, act).about(id);
    audit::enter(transaction, &event).await
}

fn token(row: &SqliteRow) -> Result<ApiToken, Corrupt> {
    let unknown = Columns::of(row, "api_tokens", "?");
    let id = unknown.read("token", |id: &[u8]| octets(id).map(ApiTokenId::from_bytes))?;
    let columns = Columns::of(row, "api_tokens", id);
    let last_used = match columns.maybe("last_used_at", time)? {
        Some(at) => Some((at, columns.read("last_used_ip", |ip: &str| ip.parse().ok())?)),
        None => None,
    };
    Ok(ApiToken {
        id,
        account: columns.read("account", |id: &[u8]| octets(id).map(AccountId::from_bytes))?,
        label: columns.take("label")?,
        scopes: columns.read("scopes", unspaced)?,
        networks: columns.read("networks", unspaced)?,
        created_at: columns.read("made_at", time)?,
        expires_at: columns.read("expires_at", time)?,
        last_used,
    })
}
