//! An account of another server, with all that belongs to it, as rows.

use jiff::Timestamp;
use sqlx::{Sqlite, Transaction};
use store::{Error, Import, ImportedAppPassword, ImportedSecondFactor};
use types::{AccountId, SenderPattern};

use super::account::row as account;
use super::app_password::row as app_password;
use crate::failure::unavailable;

/// Inserts all of it. `at` is when it is brought.
pub(super) async fn insert(
    transaction: &mut Transaction<'_, Sqlite>,
    import: &Import,
    at: Timestamp,
) -> Result<(), Error> {
    let id = import.account.id;
    account::insert(transaction, &import.account).await?;
    for password in &import.app_passwords {
        insert_app_password(transaction, password).await?;
    }
    for sender in &import.identities {
        insert_identity(transaction, id, sender, at).await.map_err(unavailable)?;
    }
    match &import.second_factor {
        Some(factor) => insert_second_factor(transaction, id, factor, at).await.map_err(unavailable),
        None => Ok(()),
    }
}

async fn insert_app_password(
    transaction: &mut Transaction<'_, Sqlite>,
    imported: &ImportedAppPassword,
) -> Result<(), Error> {
    app_password::insert(transaction, &imported.app_password, &imported.digest).await?;
    sqlx::query("INSERT INTO imported_app_passwords (credential, selector, hash) VALUES ($1, $2, $3)")
        .bind(imported.app_password.id.as_bytes().to_vec())
        .bind(imported.selector.to_vec())
        .bind(&imported.hash)
        .execute(&mut **transaction)
        .await
        .map(drop)
        .map_err(unavailable)
}

/// The same sender in two spellings is one.
async fn insert_identity(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    sender: &SenderPattern,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO identities (account, normal, sender, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
    )
    .bind(account.as_bytes().to_vec())
    .bind(sender.normal())
    .bind(sender.to_string())
    .bind(at.as_millisecond())
    .execute(&mut **transaction)
    .await
    .map(drop)
}

/// It is on from the start, and no step of it is used up.
async fn insert_second_factor(
    transaction: &mut Transaction<'_, Sqlite>,
    account: AccountId,
    factor: &ImportedSecondFactor,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO totp (account, seed, enrolled_at, confirmed_at, last_step) VALUES ($1, $2, $3, $4, 0)",
    )
    .bind(account.as_bytes().to_vec())
    .bind(&factor.seed)
    .bind(factor.enrolled_at.as_millisecond())
    .bind(at.as_millisecond())
    .execute(&mut **transaction)
    .await
    .map(drop)
}
