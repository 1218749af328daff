//! A change of what an account is called and may do: its statements, and what the audit trail tells of it.

use store::{AccountChange, Act, Action, AuditEvent};
use types::AccountId;

use crate::accounts::challenge_key;
use crate::row::Query;

/// The statements, none of which needs the others.
pub(super) fn updates(id: AccountId, change: &AccountChange) -> Vec<Query> {
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
pub(super) fn events(old: String, change: &AccountChange, act: &Act) -> Vec<AuditEvent> {
    let event = |action, name: &str| AuditEvent::change(action, name, act);
    let new = change.address.as_ref().map(types::Mailbox::normal);
    let renamed = new.iter().flat_map(|new| [&old, new]).map(|name| event(Action::UserRename, name));
    let now = new.as_ref().unwrap_or(&old);
    let named = change.name.iter().map(|_| event(Action::UserName, now));
    let admin = change.admin.iter().map(|_| event(Action::UserAdmin, now));
    renamed.chain(named).chain(admin).collect()
}
