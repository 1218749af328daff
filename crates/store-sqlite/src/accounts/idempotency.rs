//! Requests that may be repeated, as rows.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};
use store::{Corrupt, Error, KnownRequest, RequestName, StoredAnswer, StoredIdempotency};

use super::SqliteAccounts;
use super::prune::far_ahead;
use crate::failure::unavailable;
use crate::row::{Columns, Query};

impl StoredIdempotency for SqliteAccounts {
    async fn begin_request(
        &self,
        name: &RequestName,
        digest: &[u8; 32],
        now: Timestamp,
        abandoned: Timestamp,
    ) -> Result<KnownRequest, Error> {
        let mut transaction = self.begin().await?;
        see_token(&mut transaction, name).await?;
        let gone = "DELETE FROM idempotent_requests \
                    WHERE token = $1 AND key = $2 AND status IS NULL AND (made_at < $3 OR made_at > $4)";
        let gone = named(gone, name).bind(abandoned.as_millisecond()).bind(far_ahead(now).as_millisecond());
        gone.execute(&mut *transaction).await.map_err(unavailable)?;
        let found = "SELECT digest, status, body FROM idempotent_requests WHERE token = $1 AND key = $2";
        let found = named(found, name).fetch_optional(&mut *transaction).await.map_err(unavailable)?;
        if let Some(row) = found {
            return Ok(known(&row, digest)?);
        }
        let insert = "INSERT INTO idempotent_requests (token, key, digest, made_at) VALUES ($1, $2, $3, $4)";
        let insert = named(insert, name).bind(digest.to_vec()).bind(now.as_millisecond());
        insert.execute(&mut *transaction).await.map_err(unavailable)?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(KnownRequest::New)
    }

    async fn finish_request(
        &self,
        name: &RequestName,
        begun_at: Timestamp,
        answer: &StoredAnswer,
    ) -> Result<(), Error> {
        let update = "UPDATE idempotent_requests SET status = $4, body = $5 \
                      WHERE token = $1 AND key = $2 AND made_at = $3 AND status IS NULL";
        let update = named(update, name).bind(begun_at.as_millisecond());
        let update = update.bind(i64::from(answer.status)).bind(answer.body.clone());
        update.execute(self.database.writer()?).await.map(drop).map_err(unavailable)
    }

    async fn forget_request(&self, name: &RequestName, begun_at: Timestamp) -> Result<(), Error> {
        let delete = "DELETE FROM idempotent_requests WHERE token = $1 AND key = $2 AND made_at = $3 AND status IS NULL";
        let delete = named(delete, name).bind(begun_at.as_millisecond());
        delete.execute(self.database.writer()?).await.map(drop).map_err(unavailable)
    }

    async fn prune_requests(&self, before: Timestamp, now: Timestamp) -> Result<u64, Error> {
        let old = "DELETE FROM idempotent_requests WHERE (token, key) IN \
                     (SELECT token, key FROM idempotent_requests WHERE made_at < $1 LIMIT $2)";
        let old = self.database.forget(old, before).await?;
        let ahead = "DELETE FROM idempotent_requests WHERE (token, key) IN \
                     (SELECT token, key FROM idempotent_requests WHERE made_at > $1 LIMIT $2)";
        Ok(old + self.database.forget(ahead, far_ahead(now)).await?)
    }
}

/// A statement whose first parameters are the name of the request.
fn named(statement: &'static str, name: &RequestName) -> Query {
    sqlx::query(statement).bind(name.token.as_bytes().to_vec()).bind(name.key.clone())
}

/// Sees that the token is still there.
async fn see_token(transaction: &mut Transaction<'_, Sqlite>, name: &RequestName) -> Result<(), Error> {
    let found = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM api_tokens WHERE id = $1)");
    let found = found.bind(name.token.as_bytes().to_vec()).fetch_one(&mut **transaction);
    let found: bool = found.await.map_err(unavailable)?;
    if found { Ok(()) } else { Err(Error::NotFound) }
}

/// What is known of a request that was begun, by this row, if everything but its name has this digest.
fn known(row: &SqliteRow, digest: &[u8; 32]) -> Result<KnownRequest, Corrupt> {
    let columns = Columns::of(row, "idempotent_requests", "?");
    if columns.take::<&[u8]>("digest")? != digest.as_slice() {
        return Ok(KnownRequest::Another);
    }
    let status = columns.maybe("status", |status: i64| u16::try_from(status).ok())?;
    let Some(status) = status else { return Ok(KnownRequest::Running) };
    let body = row.try_get("body").map_err(|_| columns.corrupt("body"))?;
    Ok(KnownRequest::Answered(StoredAnswer { status, body }))
}
