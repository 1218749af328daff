//! Challenge keys as rows.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Sqlite, Transaction};
use store::{AppPassword, ChallengeKey, ChallengeKeys, ChallengeKind, Challenged, Corrupt, Error};
use types::{AccountId, CredentialId, Mailbox};

use super::SqliteAccounts;
use super::account::row::{account, columns};
use super::app_password::row::{app_password, app_password_columns};
use crate::failure::unavailable;
use crate::row::{Columns, Query, octets, time};

impl ChallengeKeys for SqliteAccounts {
    async fn keep_challenge_key(&self, key: &ChallengeKey, version: i64) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        let kept =
            kept(key, version).execute(&mut *transaction).await.map_err(unavailable)?.rows_affected() > 0;
        match kept {
            true => transaction.commit().await.map_err(unavailable)?,
            false => transaction.rollback().await.map_err(unavailable)?,
        }
        Ok(kept)
    }

    async fn has_challenge_key(
        &self,
        kind: ChallengeKind,
        account: AccountId,
        credential: Option<CredentialId>,
    ) -> Result<bool, Error> {
        let has = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM challenge_keys \
             WHERE account = $1 AND kind = $2 AND credential IS NOT DISTINCT FROM $3)",
        );
        let has = has.bind(id(account)).bind(kind.name()).bind(credential.map(octets_of));
        has.fetch_one(self.database.readers()?).await.map_err(unavailable)
    }

    async fn with_challenge_key(
        &self,
        kind: ChallengeKind,
        app_passwords: &[CredentialId],
    ) -> Result<Vec<CredentialId>, Error> {
        if app_passwords.is_empty() {
            return Ok(Vec::new());
        }
        let mut some = QueryBuilder::new("SELECT credential AS key_of FROM challenge_keys WHERE kind = ");
        some.push_bind(kind.name()).push(" AND credential IN (");
        let mut all = some.separated(", ");
        for app_password in app_passwords {
            all.push_bind(octets_of(*app_password));
        }
        some.push(") ORDER BY credential");
        let rows =
            some.build().persistent(false).fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        let credentials = rows.iter().map(|row| credential(&Columns::of(row, "challenge_keys", "?")));
        Ok(credentials.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    async fn challenged(&self, address: &Mailbox, kind: ChallengeKind) -> Result<Option<Challenged>, Error> {
        let all = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            ", ",
            app_password_columns!(),
            ", k.credential AS key_of, k.made_at AS key_made_at, k.sealed FROM accounts a \
             LEFT JOIN challenge_keys k ON k.account = a.id AND k.kind = $2 \
             LEFT JOIN app_passwords p ON p.id = k.credential \
             WHERE a.normal = $1",
        ));
        let all = all.bind(address.normal()).bind(kind.name());
        let rows = all.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        let Some(first) = rows.first() else { return Ok(None) };
        let account = account(first)?;
        let keys = rows.iter().filter_map(|row| challenge_key(row, kind, account.id).transpose());
        let mut keys = keys.collect::<Result<Vec<_>, _>>()?;
        keys.sort_by_key(|(key, _)| key.credential);
        Ok(Some((account, keys)))
    }
}

/// Keeps a key of an app password that is kept in the same transaction.
pub(super) async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    key: &ChallengeKey,
    version: i64,
) -> Result<(), Error> {
    let kept = kept(key, version).execute(&mut **transaction).await.map_err(unavailable)?;
    if kept.rows_affected() > 0 { Ok(()) } else { Err(Error::Changed) }
}

const KEEP_OF_ACCOUNT_PASSWORD: &str = "INSERT INTO challenge_keys (account, kind, made_at, sealed) \
     SELECT id, $2, $3, $4 FROM accounts WHERE id = $1 AND version = $5 \
     ON CONFLICT (account, kind) WHERE credential IS NULL \
     DO UPDATE SET made_at = excluded.made_at, sealed = excluded.sealed";
const KEEP_OF_APP_PASSWORD: &str = "INSERT INTO challenge_keys (account, kind, made_at, sealed, credential) \
     SELECT a.id, $2, $3, $4, p.id FROM accounts a JOIN app_passwords p ON p.account = a.id \
     WHERE a.id = $1 AND a.version = $5 AND p.id = $6 \
     ON CONFLICT (account, kind, credential) DO UPDATE SET made_at = excluded.made_at, sealed = excluded.sealed";

/// Keeps a key, unless the account has another version, or the app password is not there.
fn kept(key: &ChallengeKey, version: i64) -> Query {
    let keep = match key.credential {
        None => KEEP_OF_ACCOUNT_PASSWORD,
        Some(_) => KEEP_OF_APP_PASSWORD,
    };
    let insert = sqlx::query(keep).bind(id(key.account)).bind(key.kind.name());
    let insert = insert.bind(key.made_at.as_millisecond()).bind(key.sealed.clone()).bind(version);
    match key.credential {
        None => insert,
        Some(credential) => insert.bind(octets_of(credential)),
    }
}

/// What goes with the account password.
pub(super) fn of_password(account: AccountId) -> Query {
    sqlx::query("DELETE FROM challenge_keys WHERE account = $1 AND credential IS NULL").bind(id(account))
}

/// What goes with the address, which SCRAM's salt is made of.
pub(super) fn of_address(account: AccountId) -> Query {
    let delete = sqlx::query("DELETE FROM challenge_keys WHERE account = $1 AND kind = $2");
    delete.bind(id(account)).bind(ChallengeKind::ScramSha256.name())
}

fn id(account: AccountId) -> Vec<u8> {
    account.as_bytes().to_vec()
}

fn octets_of(credential: CredentialId) -> Vec<u8> {
    credential.as_bytes().to_vec()
}

/// The key of a row; `None` in the one row of an account that has none.
fn challenge_key(
    row: &SqliteRow,
    kind: ChallengeKind,
    account: AccountId,
) -> Result<Option<(ChallengeKey, Option<AppPassword>)>, Corrupt> {
    let columns = Columns::of(row, "challenge_keys", account);
    let Some(sealed) = columns.take("sealed")? else { return Ok(None) };
    let (credential, made_at) = (credential(&columns)?, columns.read("key_made_at", time)?);
    let made_of = credential.map(|_| app_password(row)).transpose()?;
    Ok(Some((ChallengeKey { kind, account, credential, made_at, sealed }, made_of)))
}

/// The app password that a key was made of.
pub(super) fn credential(columns: &Columns<'_>) -> Result<Option<CredentialId>, Corrupt> {
    columns.maybe("key_of", |id: &[u8]| octets(id).map(CredentialId::from_bytes))
}
