//! Sealed secrets, wherever they lie.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Sqlite, Transaction};
use store::{Corrupt, Error, Resealed, SealedPlace, SealedSecrets};
use types::{AccountId, CredentialId, DkimKeyId, WebhookId};

use super::SqliteAccounts;
use super::challenge_key::credential;
use crate::failure::unavailable;
use crate::row::{Columns, Query, octets, time};

/// A sealed secret with its place.
type Sealed = (SealedPlace, Vec<u8>);

impl SealedSecrets for SqliteAccounts {
    async fn root_key(&self) -> Result<Option<Vec<u8>>, Error> {
        let key = sqlx::query_scalar("SELECT sealed FROM server_keys WHERE purpose = 'root'");
        key.fetch_optional(self.database.readers()?).await.map_err(unavailable)
    }

    async fn keep_root_key(&self, sealed: &[u8]) -> Result<(), Error> {
        let insert = "INSERT INTO server_keys (purpose, sealed) VALUES ('root', $1) ON CONFLICT DO NOTHING";
        let insert = sqlx::query(insert).bind(sealed.to_vec());
        insert.execute(self.database.writer()?).await.map(drop).map_err(unavailable)
    }

    async fn any_app_password(&self) -> Result<bool, Error> {
        let any = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM app_passwords)");
        any.fetch_one(self.database.readers()?).await.map_err(unavailable)
    }

    async fn sealed(&self, after: Option<SealedPlace>, at_most: u32) -> Result<Vec<Sealed>, Error> {
        let root = match after {
            None if at_most > 0 => self.root_key().await?,
            _ => None,
        };
        let mut all: Vec<Sealed> = root.map(|sealed| (SealedPlace::RootKey, sealed)).into_iter().collect();
        if let Some(seeds) = seeds(after, left(at_most, &all)) {
            all.extend(self.secrets(seeds, seed).await?);
        }
        if let Some(keys) = challenge_keys(after, left(at_most, &all)) {
            all.extend(self.secrets(keys, challenge_key).await?);
        }
        if let Some(keys) = dkim_keys(after, left(at_most, &all)) {
            all.extend(self.secrets(keys, dkim_key).await?);
        }
        all.extend(self.secrets(webhooks(after, left(at_most, &all)), webhook).await?);
        Ok(all)
    }

    async fn reseal(&self, secrets: &[Resealed]) -> Result<u64, Error> {
        let (mut transaction, mut resealed) = (self.begin_change().await?, 0);
        for secret in secrets {
            resealed += reseal(&mut transaction, secret).await.map_err(unavailable)?;
        }
        transaction.commit().await.map_err(unavailable)?;
        Ok(resealed)
    }
}

impl SqliteAccounts {
    async fn secrets(
        &self,
        query: Query,
        read: fn(&SqliteRow) -> Result<Sealed, Corrupt>,
    ) -> Result<Vec<Sealed>, Error> {
        let rows = query.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(read(row)?)).collect()
    }
}

/// How many more may come.
fn left(at_most: u32, all: &[Sealed]) -> u32 {
    at_most.saturating_sub(u32::try_from(all.len()).unwrap_or(u32::MAX))
}

/// The seeds of second factors behind this place, unless it lies behind them all; the root key lies before them.
fn seeds(after: Option<SealedPlace>, at_most: u32) -> Option<Query> {
    let (account, enrolled_at) = match after {
        Some(SealedPlace::TotpSeed { account, enrolled_at }) => (account.as_bytes().to_vec(), enrolled_at),
        Some(SealedPlace::RootKey) | None => (Vec::new(), Timestamp::MIN),
        Some(
            SealedPlace::ChallengeKey { .. } | SealedPlace::DkimKey { .. } | SealedPlace::Webhook { .. },
        ) => return None,
    };
    let seeds = sqlx::query(
        "SELECT account, enrolled_at, seed FROM totp WHERE (account, enrolled_at) > ($1, $2) \
         ORDER BY account, enrolled_at LIMIT $3",
    );
    Some(seeds.bind(account).bind(enrolled_at.as_millisecond()).bind(at_most))
}

/// The challenge keys behind this place, unless it lies behind them all; root key and seeds lie before them.
fn challenge_keys(after: Option<SealedPlace>, at_most: u32) -> Option<Query> {
    let keys = sqlx::query(
        "SELECT account, kind, credential AS key_of, made_at, sealed FROM challenge_keys \
         WHERE (account, kind, coalesce(credential, $6), made_at) > ($1, $2, $3, $4) \
         ORDER BY account, kind, coalesce(credential, $6), made_at LIMIT $5",
    );
    let keys = match after {
        Some(SealedPlace::ChallengeKey { account, kind, credential, made_at }) => keys
            .bind(account.as_bytes().to_vec())
            .bind(kind.name())
            .bind(octets_of(credential))
            .bind(made_at.as_millisecond()),
        Some(SealedPlace::RootKey | SealedPlace::TotpSeed { .. }) | None => {
            keys.bind(Vec::new()).bind("").bind(Vec::new()).bind(i64::MIN)
        }
        Some(SealedPlace::DkimKey { .. } | SealedPlace::Webhook { .. }) => return None,
    };
    // The account password comes first.
    Some(keys.bind(at_most).bind(Vec::new()))
}

/// The DKIM keys behind this place, but those that were wiped, unless it lies behind them all; whatever else there is but webhooks lies before them.
fn dkim_keys(after: Option<SealedPlace>, at_most: u32) -> Option<Query> {
    let (id, created_at) = match after {
        Some(SealedPlace::DkimKey { key, made_at }) => (key.as_bytes().to_vec(), made_at.as_millisecond()),
        Some(SealedPlace::RootKey | SealedPlace::TotpSeed { .. } | SealedPlace::ChallengeKey { .. })
        | None => (Vec::new(), i64::MIN),
        Some(SealedPlace::Webhook { .. }) => return None,
    };
    let keys = sqlx::query(
        "SELECT id, created_at, sealed FROM dkim_keys WHERE (id, created_at) > ($1, $2) AND length(sealed) > 0 \
         ORDER BY id, created_at LIMIT $3",
    );
    Some(keys.bind(id).bind(created_at).bind(at_most))
}

/// The webhooks behind this place; whatever else there is lies before them.
fn webhooks(after: Option<SealedPlace>, at_most: u32) -> Query {
    let (id, created_at) = match after {
        Some(SealedPlace::Webhook { webhook, made_at }) => {
            (webhook.as_bytes().to_vec(), made_at.as_millisecond())
        }
        Some(
            SealedPlace::RootKey
            | SealedPlace::TotpSeed { .. }
            | SealedPlace::ChallengeKey { .. }
            | SealedPlace::DkimKey { .. },
        )
        | None => (Vec::new(), i64::MIN),
    };
    let webhooks = sqlx::query(
        "SELECT id, created_at, sealed FROM webhooks WHERE (id, created_at) > ($1, $2) ORDER BY id, created_at LIMIT $3",
    );
    webhooks.bind(id).bind(created_at).bind(at_most)
}

fn octets_of(credential: Option<CredentialId>) -> Vec<u8> {
    credential.map(|credential| credential.as_bytes().to_vec()).unwrap_or_default()
}

fn seed(row: &SqliteRow) -> Result<Sealed, Corrupt> {
    let account = owner(row, "totp")?;
    let columns = Columns::of(row, "totp", account);
    let enrolled_at = columns.read("enrolled_at", time)?;
    Ok((SealedPlace::TotpSeed { account, enrolled_at }, columns.take("seed")?))
}

fn challenge_key(row: &SqliteRow) -> Result<Sealed, Corrupt> {
    let account = owner(row, "challenge_keys")?;
    let columns = Columns::of(row, "challenge_keys", account);
    let place = SealedPlace::ChallengeKey {
        account,
        kind: columns.read("kind", |name: &str| name.parse().ok())?,
        credential: credential(&columns)?,
        made_at: columns.read("made_at", time)?,
    };
    Ok((place, columns.take("sealed")?))
}

fn dkim_key(row: &SqliteRow) -> Result<Sealed, Corrupt> {
    let columns = Columns::of(row, "dkim_keys", "?");
    let key = columns.read("id", |id: &[u8]| octets(id).map(DkimKeyId::from_bytes))?;
    let made_at = columns.read("created_at", time)?;
    Ok((SealedPlace::DkimKey { key, made_at }, columns.take("sealed")?))
}

fn webhook(row: &SqliteRow) -> Result<Sealed, Corrupt> {
    let columns = Columns::of(row, "webhooks", "?");
    let webhook = columns.read("id", |id: &[u8]| octets(id).map(WebhookId::from_bytes))?;
    let made_at = columns.read("created_at", time)?;
    Ok((SealedPlace::Webhook { webhook, made_at }, columns.take("sealed")?))
}

fn owner(row: &SqliteRow, table: &'static str) -> Result<AccountId, Corrupt> {
    Columns::of(row, table, "?").read("account", |id: &[u8]| octets(id).map(AccountId::from_bytes))
}

async fn reseal(transaction: &mut Transaction<'_, Sqlite>, secret: &Resealed) -> Result<u64, sqlx::Error> {
    let (old, new) = (secret.old.clone(), secret.new.clone());
    let update = match secret.place {
        SealedPlace::RootKey => {
            sqlx::query("UPDATE server_keys SET sealed = $1 WHERE sealed = $2 AND purpose = 'root'")
                .bind(new)
                .bind(old)
        }
        SealedPlace::TotpSeed { account, enrolled_at } => {
            sqlx::query("UPDATE totp SET seed = $1 WHERE seed = $2 AND account = $3 AND enrolled_at = $4")
                .bind(new)
                .bind(old)
                .bind(account.as_bytes().to_vec())
                .bind(enrolled_at.as_millisecond())
        }
        SealedPlace::ChallengeKey { account, kind, credential, made_at } => sqlx::query(
            "UPDATE challenge_keys SET sealed = $1 WHERE sealed = $2 AND account = $3 AND kind = $4 \
             AND credential IS NOT DISTINCT FROM $5 AND made_at = $6",
        )
        .bind(new)
        .bind(old)
        .bind(account.as_bytes().to_vec())
        .bind(kind.name())
        .bind(credential.map(|credential| credential.as_bytes().to_vec()))
        .bind(made_at.as_millisecond()),
        SealedPlace::DkimKey { key, made_at } => {
            sqlx::query("UPDATE dkim_keys SET sealed = $1 WHERE sealed = $2 AND id = $3 AND created_at = $4")
                .bind(new)
                .bind(old)
                .bind(key.as_bytes().to_vec())
                .bind(made_at.as_millisecond())
        }
        SealedPlace::Webhook { webhook, made_at } => {
            sqlx::query("UPDATE webhooks SET sealed = $1 WHERE sealed = $2 AND id = $3 AND created_at = $4")
                .bind(new)
                .bind(old)
                .bind(webhook.as_bytes().to_vec())
                .bind(made_at.as_millisecond())
        }
    };
    Ok(update.execute(&mut **transaction).await?.rows_affected())
}
