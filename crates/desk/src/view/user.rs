//! An account.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use store::Account;
use zeroize::Zeroizing;

use super::Sending;
use super::secret;

/// An account.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct User {
    /// The name to log in with, and the address to send as.
    pub address: String,
    /// What people call it.
    pub name: Option<String>,
    /// Whether it is marked as an administrator's.
    pub admin: bool,
    /// Whether it is barred from logging in.
    pub disabled: bool,
    /// Whether there is an account password.
    pub password: bool,
    /// Whether a second factor is on.
    pub totp: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When somebody last logged in to it.
    pub last_login_at: Option<Timestamp>,
    /// For how many seconds its messages can be taken back, if it has chosen so itself.
    pub undo_seconds: Option<u64>,
    /// How many app passwords it has.
    pub app_passwords: u64,
    /// How many messages it has sent in its day.
    pub sent_today: u32,
    /// The password that was made for it, this once.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "secret::shown_if_any")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub generated_password: Option<Zeroizing<String>>,
    /// What it has sent of what it may; where one account is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sending: Option<Sending>,
}

impl User {
    pub(crate) fn of(account: &Account) -> Self {
        Self {
            address: account.address.to_string(),
            name: account.name.clone(),
            admin: account.admin,
            disabled: account.disabled,
            password: account.password_hash.is_some(),
            totp: account.totp,
            created_at: account.created_at,
            last_login_at: account.last_login_at,
            undo_seconds: account.undo.map(|undo| undo.as_secs()),
            app_passwords: 0,
            sent_today: 0,
            generated_password: None,
            sending: None,
        }
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("address", &self.address).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use types::{AccountId, Mailbox};

    use super::*;

    #[test]
    fn the_json_of_a_user_has_the_promised_keys() {
        let (address, at) = (Mailbox::parse("alice@example.org"), "2026-11-21T12:00:00Z".parse());
        let account = Account::new(AccountId::from_bytes([1; 16]), address.unwrap(), at.unwrap());
        let account = Account { admin: true, totp: true, ..account };
        let expected = serde_json::json!({
            "address": "alice@example.org", "name": null, "admin": true, "disabled": false, "password": false,
            "totp": true, "created_at": "2026-11-21T12:00:00Z", "last_login_at": null,
            "undo_seconds": null, "app_passwords": 0, "sent_today": 0,
        });
        assert_eq!(serde_json::to_value(User::of(&account)).unwrap(), expected);
        let password = Some(Zeroizing::new("k7mzp-4xqaw".to_owned()));
        let shown = serde_json::to_value(User { generated_password: password, ..User::of(&account) });
        assert_eq!(shown.unwrap()["generated_password"], "k7mzp-4xqaw");
    }
}
