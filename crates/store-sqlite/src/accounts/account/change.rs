//! Changes of an account in a transaction: of what it is called and may do, and its end; with what the audit trail tells of them.

use sqlx::{Sqlite, Transaction};
use store::{AccountChange, Act, Action, AuditEvent, Error};
use types::AccountId;

use super::row::{normal, of_write};
use crate::accounts::{audit, challenge_key};
use crate::failure::unavailable;
use crate::row::Query;

/// Changes what an account is called and may do.
pub(super) async fn update(
    transaction: &mut Transaction<'_, Sqlite>,
    id: AccountId,
    change: &AccountChange,
    act: &Act,
) -> Result<(), Error> {
    let old = normal(transaction, id).await?;
    for update in updates(id, change) {
        update.execute(&mut **transaction).await.map_err(of_write)?;
    }
    for event in events(old, change, act) {
        audit::enter(transaction, &event).await?;
    }
    Ok(())
}

/// Bars an account from logging in, or lets it in again.
pub(super) async fn bar(
    transaction: &mut Transaction<'_, Sqlite>,
    id: AccountId,
    disabled: bool,
    act: &Act,
) -> Result<(), Error> {
    let normal = normal(transaction, id).await?;
    let update = "UPDATE accounts SET disabled = $1, version = version + 1 WHERE id = $2";
    let update = sqlx::query(update).bind(disabled).bind(id.as_bytes().to_vec());
    update.execute(&mut **transaction).await.map_err(unavailable)?;
    let action = if disabled { Action::UserDisable } else { Action::UserEnable };
    audit::enter(transaction, &AuditEvent::change(action, normal, act)).await
}

/// Removes an account with all that belongs to it.
pub(super) async fn remove(
    transaction: &mut Transaction<'_, Sqlite>,
    id: AccountId,
    act: &Act,
) -> Result<(), Error> {
    let normal = normal(transaction, id).await?;
    let delete = sqlx::query("DELETE FROM accounts WHERE id = $1").bind(id.as_bytes().to_vec());
    delete.execute(&mut **transaction).await.map_err(unavailable)?;
    audit::enter(transaction, &AuditEvent::change(Action::UserRemove, normal, act)).await
}

/// Sees that this is not the only administrator who may log in. Nobody else writes until the end of the transaction, so that it stays true.
pub(super) async fn see_another_administrator(
    transaction: &mut Transaction<'_, Sqlite>,
    id: AccountId,
) -> Result<(), Error> {
    let is_last = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM accounts WHERE id = $1 AND admin AND NOT disabled) \
         AND NOT EXISTS (SELECT 1 FROM accounts WHERE id <> $1 AND admin AND NOT disabled)",
    );
    let is_last = is_last.bind(id.as_bytes().to_vec()).fetch_one(&mut **transaction);
    let is_last: bool = is_last.await.map_err(unavailable)?;
    if is_last { Err(Error::LastAdministrator) } else { Ok(()) }
}

/// The statements, none of which needs the others.
fn updates(id: AccountId, change: &AccountChange) -> Vec<Query> {
    let octets = || id.as_bytes().to_vec();
    let mut updates = Vec::new();
    if let Some(address) = &change.address {
        let rename = "UPDATE accounts SET address = $1, normal = $2, version = version + 1 WHERE id = $3";
        let rename = sqlx::query(rename).bind(address.to_string()).bind(address.normal());
        updates.extend([rename.bind(octets()), challenge_key::of_address(id)]);
    }
    if let Some(name) = &change.name {
        let update = sqlx::query("UPDATE accounts SET name = $1 WHERE id = $2");
        updates.push(update.bind(name.clone()).bind(octets()));
    }
    if let Some(admin) = change.admin {
        let update = sqlx::query("UPDATE accounts SET admin = $1 WHERE id = $2");
        updates.push(update.bind(admin).bind(octets()));
    }
    updates
}

/// What was done to the account, which had the address `old` in its normal form.
fn events(old: String, change: &AccountChange, act: &Act) -> Vec<AuditEvent> {
    let event = |action, name: &str| AuditEvent::change(action, name, act);
    let new = change.address.as_ref().map(types::Mailbox::normal);
    let renamed = new.iter().flat_map(|new| [&old, new]).map(|name| event(Action::UserRename, name));
    let now = new.as_ref().unwrap_or(&old);
    let named = change.name.iter().map(|_| event(Action::UserName, now));
    let admin = change.admin.iter().map(|_| event(Action::UserAdmin, now));
    renamed.chain(named).chain(admin).collect()
}
