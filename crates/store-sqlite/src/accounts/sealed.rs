//! Sealed secrets, wherever they lie.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};
use store::{Corrupt, Error, Resealed, SealedPlace, SealedSecrets};
use types::AccountId;

use super::SqliteAccounts;
use crate::failure::unavailable;
use crate::row::{Columns, octets, time};

impl SealedSecrets for SqliteAccounts {
    async fn root_key(&self) -> Result<Option<Vec<u8>>, Error> {
        let key = sqlx::query_scalar("SELECT sealed FROM server_keys WHERE purpose = 'root'");
        key.fetch_optional(&self.readers).await.map_err(unavailable)
    }

    async fn keep_root_key(&self, sealed: &[u8]) -> Result<(), Error> {
        let insert = "INSERT INTO server_keys (purpose, sealed) VALUES ('root', $1) ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert).bind(sealed.to_vec());
        insert.execute(&self.writer).await.map(drop).map_err(unavailable)
    }

    async fn any_app_password(&self) -> Result<bool, Error> {
        let any = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM app_passwords)");
        any.fetch_one(&self.readers).await.map_err(unavailable)
    }

    async fn sealed(
        &self,
        after: Option<SealedPlace>,
        at_most: u32,
    ) -> Result<Vec<(SealedPlace, Vec<u8>)>, Error> {
        let root = match after {
            None if at_most > 0 => self.root_key().await?,
            _ => None,
        };
        let mut all: Vec<_> = root.map(|sealed| (SealedPlace::RootKey, sealed)).into_iter().collect();
        let left = if all.is_empty() { at_most } else { at_most.saturating_sub(1) };
        all.extend(self.seeds(after, left).await?);
        Ok(all)
    }

    async fn reseal(&self, secrets: &[Resealed]) -> Result<u64, Error> {
        let (mut transaction, mut resealed) = (self.begin().await?, 0);
        for secret in secrets {
            resealed += reseal(&mut transaction, secret).await.map_err(unavailable)?;
        }
        transaction.commit().await.map_err(unavailable)?;
        Ok(resealed)
    }
}

impl SqliteAccounts {
    /// The seeds of second factors behind this place; all of them lie behind the root key.
    async fn seeds(
        &self,
        after: Option<SealedPlace>,
        at_most: u32,
    ) -> Result<Vec<(SealedPlace, Vec<u8>)>, Error> {
        let (account, enrolled_at) = match after {
            Some(SealedPlace::TotpSeed { account, enrolled_at }) => {
                (account.as_bytes().to_vec(), enrolled_at)
            }
            Some(SealedPlace::RootKey) | None => (Vec::new(), Timestamp::MIN),
        };
        let seeds = sqlx::query(
            "SELECT account, enrolled_at, seed FROM totp WHERE (account, enrolled_at) > ($1, $2) \
             ORDER BY account, enrolled_at LIMIT $3",
        );
        let seeds = seeds.bind(account).bind(enrolled_at.as_millisecond()).bind(at_most);
        let rows = seeds.fetch_all(&self.readers).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(seed(row)?)).collect()
    }
}

fn seed(row: &SqliteRow) -> Result<(SealedPlace, Vec<u8>), Corrupt> {
    let account: &[u8] = row.try_get("account").unwrap_or_default();
    let account =
        octets(account).map(AccountId::from_bytes).ok_or_else(|| Corrupt::on("totp", "?", "account"))?;
    let columns = Columns::of(row, "totp", account);
    let enrolled_at = columns.read("enrolled_at", time)?;
    Ok((SealedPlace::TotpSeed { account, enrolled_at }, columns.take("seed")?))
}

async fn reseal(transaction: &mut Transaction<'_, Sqlite>, secret: &Resealed) -> Result<u64, sqlx::Error> {
    let update = match secret.place {
        SealedPlace::RootKey => {
            sqlx::query("UPDATE server_keys SET sealed = $1 WHERE sealed = $2 AND purpose = 'root'")
                .bind(secret.new.clone())
                .bind(secret.old.clone())
        }
        SealedPlace::TotpSeed { account, enrolled_at } => {
            sqlx::query("UPDATE totp SET seed = $1 WHERE seed = $2 AND account = $3 AND enrolled_at = $4")
                .bind(secret.new.clone())
                .bind(secret.old.clone())
                .bind(account.as_bytes().to_vec())
                .bind(enrolled_at.as_millisecond())
        }
    };
    Ok(update.execute(&mut **transaction).await?.rows_affected())
}
