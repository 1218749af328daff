//! Accounts as rows.

use jiff::Timestamp;
use sqlx::sqlite::{SqliteQueryResult, SqliteRow};
use sqlx::{Row, Sqlite};
use store::{Account, Accounts, Corrupt, Error, Revision};
use types::{AccountId, Mailbox};

use super::SqliteAccounts;
use crate::failure::{is_taken, unavailable};
use crate::row::{Columns, octets, time};

type Query = sqlx::query::Query<'static, Sqlite, sqlx::sqlite::SqliteArguments>;

impl Accounts for SqliteAccounts {
    async fn add(&self, account: &Account) -> Result<(), Error> {
        let insert = sqlx::query(
            "INSERT INTO accounts (id, address, normal, name, admin, disabled, password_hash, version, created_at, \
             last_login_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(account.id.as_bytes().to_vec())
        .bind(account.address.to_string())
        .bind(account.address.normal())
        .bind(account.name.clone())
        .bind(account.admin)
        .bind(account.disabled)
        .bind(account.password_hash.clone())
        .bind(account.version)
        .bind(account.created_at.as_millisecond())
        .bind(account.last_login_at.map(Timestamp::as_millisecond));
        self.write(insert).await.map(drop)
    }

    async fn by_address(&self, address: &Mailbox) -> Result<Option<Account>, Error> {
        self.one(sqlx::query("SELECT * FROM accounts WHERE normal = $1").bind(address.normal())).await
    }

    async fn by_id(&self, id: AccountId) -> Result<Option<Account>, Error> {
        self.one(sqlx::query("SELECT * FROM accounts WHERE id = $1").bind(id.as_bytes().to_vec())).await
    }

    async fn list(&self) -> Result<Vec<Account>, Error> {
        let all = sqlx::query("SELECT * FROM accounts ORDER BY normal");
        let rows = all.fetch_all(&self.readers).await.map_err(unavailable)?;
        rows.iter().map(|row| Ok(account(row)?)).collect()
    }

    async fn set_password(&self, id: AccountId, hash: &str) -> Result<(), Error> {
        let update = "UPDATE accounts SET password_hash = $1, version = version + 1 WHERE id = $2";
        self.change(sqlx::query(update).bind(hash.to_owned()).bind(id.as_bytes().to_vec())).await
    }

    async fn rename(&self, id: AccountId, address: &Mailbox) -> Result<(), Error> {
        let update = "UPDATE accounts SET address = $1, normal = $2, version = version + 1 WHERE id = $3";
        let update = sqlx::query(update).bind(address.to_string()).bind(address.normal());
        self.change(update.bind(id.as_bytes().to_vec())).await
    }

    async fn set_disabled(&self, id: AccountId, disabled: bool) -> Result<(), Error> {
        let update = "UPDATE accounts SET disabled = $1, version = version + 1 WHERE id = $2";
        self.change(sqlx::query(update).bind(disabled).bind(id.as_bytes().to_vec())).await
    }

    async fn remove(&self, id: AccountId) -> Result<(), Error> {
        self.change(sqlx::query("DELETE FROM accounts WHERE id = $1").bind(id.as_bytes().to_vec())).await
    }

    fn revision(&self) -> Option<Revision> {
        self.wal_index.revision()
    }

    fn logged_in(&self, id: AccountId, at: Timestamp) {
        self.notes.login(id, at);
    }

    async fn flush(&self) -> Result<(), Error> {
        self.notes.flush(&self.writer).await.map_err(unavailable)
    }
}

impl SqliteAccounts {
    async fn one(&self, query: Query) -> Result<Option<Account>, Error> {
        let row = query.fetch_optional(&self.readers).await.map_err(unavailable)?;
        Ok(row.as_ref().map(account).transpose()?)
    }

    /// Changes one account, which must be there.
    async fn change(&self, query: Query) -> Result<(), Error> {
        match self.write(query).await?.rows_affected() {
            0 => Err(Error::NotFound),
            _ => Ok(()),
        }
    }

    async fn write(&self, query: Query) -> Result<SqliteQueryResult, Error> {
        query.execute(&self.writer).await.map_err(|error| match is_taken(&error) {
            true => Error::AlreadyExists,
            false => unavailable(error),
        })
    }
}

/// An account from the columns of its table.
pub(super) fn account(row: &SqliteRow) -> Result<Account, Corrupt> {
    let id: &[u8] = row.try_get("id").unwrap_or_default();
    let id = octets(id).map(AccountId::from_bytes).ok_or_else(|| Corrupt::on("accounts", "?", "id"))?;
    let columns = Columns::of(row, "accounts", id);
    Ok(Account {
        id,
        address: columns.read("address", |text: &str| Mailbox::parse(text).ok())?,
        name: columns.take("name")?,
        admin: columns.take("admin")?,
        disabled: columns.take("disabled")?,
        password_hash: columns.take("password_hash")?,
        version: columns.take("version")?,
        created_at: columns.read("created_at", time)?,
        last_login_at: columns.maybe("last_login_at", time)?,
    })
}
