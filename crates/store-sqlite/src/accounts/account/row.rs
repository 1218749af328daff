//! Accounts as their rows: reading one, adding one, and what others read of them.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, Transaction};
use store::{Account, Colours, Corrupt, Error, Preferences};
use types::{AccountId, Mailbox};

use crate::failure::{is_taken, unavailable};
use crate::row::{Columns, octets, time};

/// Whether an account, whose table is `a`, has a second factor.
macro_rules! has_totp {
    () => {
        "EXISTS (SELECT 1 FROM totp WHERE totp.account = a.id AND confirmed_at IS NOT NULL)"
    };
}
pub(in crate::accounts) use has_totp;

/// The columns of an account, whose table is `a`, and whether it has a second factor.
macro_rules! columns {
    () => {
        concat!("a.*, ", $crate::accounts::account::row::has_totp!(), " AS totp")
    };
}
pub(in crate::accounts) use columns;

/// The address of an account in its normal form: what the audit trail knows it by.
pub(in crate::accounts) async fn normal(
    transaction: &mut Transaction<'_, Sqlite>,
    id: AccountId,
) -> Result<String, Error> {
    let normal = sqlx::query_scalar("SELECT normal FROM accounts WHERE id = $1").bind(id.as_bytes().to_vec());
    normal.fetch_optional(&mut **transaction).await.map_err(unavailable)?.ok_or(Error::NotFound)
}

pub(in crate::accounts) async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    account: &Account,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO accounts (id, address, normal, name, admin, disabled, password_hash, version, created_at, \
         last_login_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(account.id.as_bytes().to_vec())
    .bind(account.address.to_string())
    .bind(account.address.normal())
    .bind(account.name.as_deref())
    .bind(account.admin)
    .bind(account.disabled)
    .bind(account.password_hash.as_deref())
    .bind(account.version)
    .bind(account.created_at.as_millisecond())
    .bind(account.last_login_at.map(Timestamp::as_millisecond))
    .execute(&mut **transaction)
    .await
    .map(drop)
    .map_err(of_write)
}

pub(in crate::accounts) fn id(row: &SqliteRow) -> Result<AccountId, Corrupt> {
    let id: &[u8] = row.try_get("id").unwrap_or_default();
    octets(id).map(AccountId::from_bytes).ok_or_else(|| Corrupt::on("accounts", "?", "id"))
}

/// Continues a list of ids with these.
pub(in crate::accounts) fn any_of(query: &mut QueryBuilder<Sqlite>, accounts: &[AccountId]) {
    let mut ids = query.separated(", ");
    for account in accounts {
        ids.push_bind(account.as_bytes().to_vec());
    }
}

/// An account from the columns of its table.
pub(in crate::accounts) fn account(row: &SqliteRow) -> Result<Account, Corrupt> {
    let id = id(row)?;
    let columns = Columns::of(row, "accounts", id);
    Ok(Account {
        id,
        address: columns.read("address", |text: &str| Mailbox::parse(text).ok())?,
        name: columns.take("name")?,
        admin: columns.take("admin")?,
        disabled: columns.take("disabled")?,
        password_hash: columns.take("password_hash")?,
        totp: columns.take("totp")?,
        version: columns.take("version")?,
        created_at: columns.read("created_at", time)?,
        last_login_at: columns.maybe("last_login_at", time)?,
        undo: columns.maybe("undo_ms", |ms: i64| u64::try_from(ms).ok().map(Duration::from_millis))?,
        preferences: Preferences {
            language: columns.take("language")?,
            time_zone: columns.take("time_zone")?,
            colours: columns.maybe("colours", Colours::from_name)?,
        },
    })
}

pub(super) fn of_write(error: sqlx::Error) -> Error {
    if is_taken(&error) { Error::AlreadyExists } else { unavailable(error) }
}
