//! App passwords as their rows: reading one, and adding one.

use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};
use store::{AppPassword, Corrupt, Error, LastUse};
use types::{AccountId, CredentialId};

use crate::failure::unavailable;
use crate::row::{Columns, octets, time};

/// The columns of an app password, whose table is `p`, under names that do not clash with those of its account.
macro_rules! app_password_columns {
    () => {
        "p.id AS credential, p.account, p.label, p.scopes, p.networks, p.senders, p.created_at AS made_at, \
         p.expires_at, p.last_used_at, p.last_used_ip, p.last_mechanism"
    };
}
pub(in crate::accounts) use app_password_columns;

pub(in crate::accounts) async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    password: &AppPassword,
    digest: &[u8; 32],
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO app_passwords (id, account, digest, label, scopes, networks, senders, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(password.id.as_bytes().to_vec())
    .bind(password.account.as_bytes().to_vec())
    .bind(digest.to_vec())
    .bind(&password.label)
    .bind(spaced(&password.scopes))
    .bind(spaced(&password.networks))
    .bind(lines(&password.senders))
    .bind(password.created_at.as_millisecond())
    .bind(password.expires_at.map(Timestamp::as_millisecond))
    .execute(&mut **transaction)
    .await
    .map_err(unavailable)?;
    Ok(())
}

pub(in crate::accounts) fn app_password(row: &SqliteRow) -> Result<AppPassword, Corrupt> {
    let id = id(row)?;
    let columns = Columns::of(row, "app_passwords", id);
    Ok(AppPassword {
        id,
        account: columns.read("account", |id: &[u8]| octets(id).map(AccountId::from_bytes))?,
        label: columns.take("label")?,
        scopes: columns.read("scopes", unspaced)?,
        networks: columns.read("networks", unspaced)?,
        senders: columns.read("senders", of_lines)?,
        created_at: columns.read("made_at", time)?,
        expires_at: columns.maybe("expires_at", time)?,
        last_used: last_use(&columns)?,
    })
}

pub(super) fn id(row: &SqliteRow) -> Result<CredentialId, Corrupt> {
    let id: &[u8] = row.try_get("credential").unwrap_or_default();
    octets(id).map(CredentialId::from_bytes).ok_or_else(|| Corrupt::on("app_passwords", "?", "id"))
}

pub(in crate::accounts) fn last_use(columns: &Columns<'_>) -> Result<Option<LastUse>, Corrupt> {
    let Some(at) = columns.maybe("last_used_at", time)? else { return Ok(None) };
    let ip = columns.read("last_used_ip", |ip: &str| ip.parse().ok())?;
    Ok(Some(LastUse { at, ip, mechanism: columns.take("last_mechanism")? }))
}

pub(in crate::accounts) fn spaced<T: ToString>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(" ")
}

pub(in crate::accounts) fn unspaced<T: std::str::FromStr>(text: &str) -> Option<Vec<T>> {
    text.split_ascii_whitespace().map(|value| value.parse().ok()).collect()
}

/// A quoted local part may have a space in it, but no line end.
pub(in crate::accounts) fn lines<T: ToString>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join("\n")
}

pub(in crate::accounts) fn of_lines<T: std::str::FromStr>(text: &str) -> Option<Vec<T>> {
    text.lines().map(|value| value.parse().ok()).collect()
}
