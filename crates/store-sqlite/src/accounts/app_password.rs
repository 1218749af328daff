//! The app passwords, and every change of them.

pub(super) mod row;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};
use store::{
    Account, Act, Action, AppPassword, AppPasswordPlace, AppPasswords, AuditEvent, Corrupt, Error, LastUse,
    NewAppPassword, Page,
};
use types::{AccountId, CredentialId};

use super::account::row::{account, any_of, columns, normal};
use super::{SqliteAccounts, audit, challenge_key};
use crate::failure::{is_taken, unavailable};
use crate::row::{Columns, octets};
use row::{app_password, app_password_columns, id, insert};

macro_rules! joined {
    ($condition:literal) => {
        joined!("", "", $condition)
    };
    ($more_columns:literal, $more_tables:literal, $condition:literal) => {
        concat!(
            "SELECT ",
            columns!(),
            ", ",
            app_password_columns!(),
            $more_columns,
            " FROM app_passwords p JOIN accounts a ON a.id = p.account",
            $more_tables,
            " WHERE ",
            $condition
        )
    };
}

impl AppPasswords for SqliteAccounts {
    async fn create(&self, new: &NewAppPassword, at_most: u32, act: &Act) -> Result<(), Error> {
        let mut transaction = self.begin_change().await?;
        add(&mut transaction, new, at_most, act).await?;
        transaction.commit().await.map_err(unavailable)
    }

    async fn by_digest(&self, digest: &[u8; 32]) -> Result<Option<(AppPassword, Account)>, Error> {
        self.credential(joined!("p.digest = $1"), digest).await
    }

    async fn of_account(
        &self,
        id: AccountId,
        page: Page<AppPasswordPlace>,
    ) -> Result<Vec<AppPassword>, Error> {
        let some = sqlx::query(joined!(
            "p.account = $1 AND (p.created_at, p.id) > ($2, $3) ORDER BY p.created_at, p.id LIMIT $4"
        ));
        let (at, after) = page
            .after
            .map(|(at, id)| (at.as_millisecond(), id.as_bytes().to_vec()))
            .unwrap_or((i64::MIN, Vec::new()));
        let some = some.bind(id.as_bytes().to_vec()).bind(at).bind(after).bind(page.limit);
        let rows = some.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(app_password(row)?)).collect()
    }

    async fn app_password_counts(&self, accounts: &[AccountId]) -> Result<Vec<(AccountId, u64)>, Error> {
        if accounts.is_empty() {
            return Ok(Vec::new());
        }
        let mut counts = QueryBuilder::new(
            "SELECT account AS id, count(*) AS count FROM app_passwords WHERE account IN (",
        );
        any_of(&mut counts, accounts);
        counts.push(") GROUP BY account");
        let rows = counts
            .build()
            .persistent(false)
            .fetch_all(self.database.readers()?)
            .await
            .map_err(unavailable)?;
        rows.iter().map(|row| Ok(counted(row)?)).collect()
    }

    async fn relabel(
        &self,
        account: AccountId,
        id: CredentialId,
        label: &str,
        act: &Act,
    ) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        let update = sqlx::query("UPDATE app_passwords SET label = $1 WHERE account = $2 AND id = $3");
        let update =
            update.bind(label.to_owned()).bind(account.as_bytes().to_vec()).bind(id.as_bytes().to_vec());
        if update.execute(&mut *transaction).await.map_err(unavailable)?.rows_affected() == 0 {
            return Ok(false);
        }
        enter(&mut transaction, Action::AppPasswordRelabel, account, id, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn revoke(&self, account: AccountId, id: CredentialId, act: &Act) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        if !revoke(&mut transaction, account, id, act).await? {
            return Ok(false);
        }
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    async fn revoked(&self, digest: &[u8; 32]) -> Result<Option<CredentialId>, Error> {
        let found = sqlx::query_scalar("SELECT credential FROM revoked_app_passwords WHERE digest = $1");
        let found = found
            .bind(digest.to_vec())
            .fetch_optional(self.database.readers()?)
            .await
            .map_err(unavailable)?;
        let Some(id): Option<Vec<u8>> = found else { return Ok(None) };
        let id = octets(&id).ok_or_else(|| Corrupt::on("revoked_app_passwords", "?", "credential"))?;
        Ok(Some(CredentialId::from_bytes(id)))
    }

    async fn revoked_labels(&self, account: AccountId) -> Result<Vec<(CredentialId, String)>, Error> {
        let all = sqlx::query(
            "SELECT credential, label FROM revoked_app_passwords WHERE account = $1 AND label <> ''",
        );
        let all = all.bind(account.as_bytes().to_vec());
        let rows = all.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(revoked(row)?)).collect()
    }

    async fn prune_revoked(&self, before: Timestamp) -> Result<u64, Error> {
        let piece = "DELETE FROM revoked_app_passwords WHERE digest IN \
                     (SELECT digest FROM revoked_app_passwords WHERE revoked_at < $1 LIMIT $2)";
        self.database.forget(piece, before).await
    }

    async fn imported(&self, selector: &[u8; 32]) -> Result<Vec<(String, AppPassword, Account)>, Error> {
        let found = joined!(
            ", i.hash AS imported_hash",
            " JOIN imported_app_passwords i ON i.credential = p.id",
            "i.selector = $1"
        );
        let found = sqlx::query(found).bind(selector.to_vec());
        let rows = found.fetch_all(self.database.readers()?).await.map_err(unavailable)?;
        let read = |row| Ok((imported_hash(row)?, app_password(row)?, account(row)?));
        rows.iter().map(read).collect()
    }

    async fn imported_hashes(
        &self,
        after: Option<CredentialId>,
        at_most: u32,
    ) -> Result<Vec<(CredentialId, String, u32)>, Error> {
        let some = sqlx::query(
            "SELECT credential, hash, (SELECT COUNT(*) FROM imported_app_passwords o WHERE o.selector = i.selector) AS alike
             FROM imported_app_passwords i WHERE credential > $1 ORDER BY credential LIMIT $2",
        );
        let some = some.bind(after.map(|id| id.as_bytes().to_vec()).unwrap_or_default()).bind(at_most);
        let rows = some.fetch_all(self.readers()?).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(alike(row)?)).collect()
    }

    async fn adopt(&self, id: CredentialId, digest: &[u8; 32], act: &Act) -> Result<bool, Error> {
        let mut transaction = self.begin_change().await?;
        let Some(account) = adopted(&mut transaction, id, digest).await? else { return Ok(false) };
        enter(&mut transaction, Action::AppPasswordAdopt, account, id, act).await?;
        transaction.commit().await.map_err(unavailable)?;
        Ok(true)
    }

    fn used(&self, id: CredentialId, last_use: LastUse) {
        self.notes.credential_use(id, last_use);
    }
}

impl SqliteAccounts {
    async fn credential(
        &self,
        sql: &'static str,
        key: &[u8],
    ) -> Result<Option<(AppPassword, Account)>, Error> {
        let row = sqlx::query(sql)
            .bind(key.to_vec())
            .fetch_optional(self.database.readers()?)
            .await
            .map_err(unavailable)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((app_password(&row)?, account(&row)?)))
    }
}

/// Adds an app password with its challenge keys, if its account has fewer than it may and has not changed, and tells the audit trail.
pub(super) async fn add(
    transaction: &mut Transaction<'_, Sqlite>,
    new: &NewAppPassword,
    at_most: u32,
    act: &Act,
) -> Result<(), Error> {
    let NewAppPassword { app_password, digest, challenge_keys, version } = new;
    let AppPassword { id, account, .. } = *app_password;
    if count(transaction, account).await? >= at_most {
        return Err(Error::TooMany);
    }
    see_unchanged(transaction, account, *version).await?;
    insert(transaction, app_password, digest).await?;
    for key in challenge_keys {
        challenge_key::insert(transaction, key, *version).await?;
    }
    enter(transaction, Action::AppPasswordCreate, account, id, act).await
}

/// Revokes every app password of an account, and tells each to the audit trail.
pub(super) async fn revoke_all(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    act: &Act,
) -> Result<(), Error> {
    let all = sqlx::query_scalar("SELECT id FROM app_passwords WHERE account = $1 ORDER BY created_at, id");
    let all = all.bind(account.as_bytes().to_vec());
    let all: Vec<Vec<u8>> = all.fetch_all(&mut **transaction).await.map_err(unavailable)?;
    for id in all {
        let id = octets(&id).ok_or_else(|| Corrupt::on("app_passwords", "?", "id"))?;
        let id = CredentialId::from_bytes(id);
        mark_revoked(transaction, account, id, act.at).await?;
        enter(transaction, Action::AppPasswordRevoke, account, id, act).await?;
    }
    Ok(())
}

/// How many app passwords an account has; the account must be there.
async fn count(transaction: &mut Transaction<'_, Sqlite>, account: AccountId) -> Result<u32, Error> {
    let count = "SELECT (SELECT count(*) FROM app_passwords WHERE account = $1) FROM accounts WHERE id = $1";
    let count = sqlx::query_scalar(count).bind(account.as_bytes().to_vec());
    count.fetch_optional(&mut **transaction).await.map_err(unavailable)?.ok_or(Error::NotFound)
}

/// Sees that the account still has this version.
async fn see_unchanged(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    version: i64,
) -> Result<(), Error> {
    let same = "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = $1 AND version = $2)";
    let same = sqlx::query_scalar(same).bind(account.as_bytes().to_vec()).bind(version);
    let is_same: bool = same.fetch_one(&mut **transaction).await.map_err(unavailable)?;
    if is_same { Ok(()) } else { Err(Error::Changed) }
}

/// Revokes an app password, and says so in the trail; `false` if the account has no such app password.
pub(super) async fn revoke(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    id: CredentialId,
    act: &Act,
) -> Result<bool, Error> {
    if !mark_revoked(transaction, account, id, act.at).await? {
        return Ok(false);
    }
    enter(transaction, Action::AppPasswordRevoke, account, id, act).await?;
    Ok(true)
}

/// Moves an app password to the revoked ones; `false` if the account has no such app password.
async fn mark_revoked(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    id: CredentialId,
    at: Timestamp,
) -> Result<bool, Error> {
    let delete = "DELETE FROM app_passwords WHERE account = $1 AND id = $2 RETURNING digest, label";
    let delete = sqlx::query_as(delete).bind(account.as_bytes().to_vec()).bind(id.as_bytes().to_vec());
    let gone: Option<(Vec<u8>, String)> =
        delete.fetch_optional(&mut **transaction).await.map_err(unavailable)?;
    let Some((digest, label)) = gone else { return Ok(false) };
    let insert = "INSERT INTO revoked_app_passwords (digest, credential, account, revoked_at, label) \
                  VALUES ($1, $2, $3, $4, $5)";
    let insert = sqlx::query(insert).bind(digest).bind(id.as_bytes().to_vec());
    let insert = insert.bind(account.as_bytes().to_vec()).bind(at.as_millisecond()).bind(label);
    insert.execute(&mut **transaction).await.map_err(unavailable)?;
    Ok(true)
}

/// Gives an app password that was brought along its own digest, and says whose it is.
async fn adopted(
    transaction: &mut Transaction<'_, Sqlite>,
    id: CredentialId,
    digest: &[u8; 32],
) -> Result<Option<AccountId>, Error> {
    let delete = sqlx::query("DELETE FROM imported_app_passwords WHERE credential = $1");
    let deleted =
        delete.bind(id.as_bytes().to_vec()).execute(&mut **transaction).await.map_err(unavailable)?;
    if deleted.rows_affected() == 0 {
        return Ok(None);
    }
    let update = sqlx::query_scalar("UPDATE app_passwords SET digest = $1 WHERE id = $2 RETURNING account");
    let update = update.bind(digest.to_vec()).bind(id.as_bytes().to_vec());
    let account: Vec<u8> = match update.fetch_one(&mut **transaction).await {
        Err(error) if is_taken(&error) => return Ok(None),
        updated => updated.map_err(unavailable)?,
    };
    let account = octets(&account).ok_or_else(|| Corrupt::on("app_passwords", id.to_string(), "account"))?;
    Ok(Some(AccountId::from_bytes(account)))
}

/// Enters a change of an app password into the audit trail.
async fn enter(
    transaction: &mut Transaction<'_, Sqlite>,
    action: Action,
    account: AccountId,
    id: CredentialId,
    act: &Act,
) -> Result<(), Error> {
    let event = AuditEvent::change(action, normal(transaction, account).await?, act).about(id);
    audit::enter(transaction, &event).await
}

/// One that was revoked, and what its owner called it.
fn revoked(row: &SqliteRow) -> Result<(CredentialId, String), Corrupt> {
    let id = id(row)?;
    Ok((id, Columns::of(row, "revoked_app_passwords", id).take("label")?))
}

/// The hash of one that was brought along, and how many its selector finds.
fn alike(row: &SqliteRow) -> Result<(CredentialId, String, u32), Corrupt> {
    let id = id(row)?;
    let columns = Columns::of(row, "imported_app_passwords", id);
    Ok((id, columns.take("hash")?, columns.take("alike")?))
}

fn counted(row: &SqliteRow) -> Result<(AccountId, u64), Corrupt> {
    let account = super::account::row::id(row)?;
    Ok((account, Columns::of(row, "app_passwords", account).take("count")?))
}

fn imported_hash(row: &SqliteRow) -> Result<String, Corrupt> {
    row.try_get("imported_hash").map_err(|_| Corrupt::on("imported_app_passwords", "?", "hash"))
}
