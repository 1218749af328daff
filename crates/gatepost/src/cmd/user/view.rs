//! An account as `--json` shows it.

use jiff::Timestamp;
use serde::Serialize;
use store::Account;

use super::limit::Standing;
use crate::output::{self, Cell, Look};

/// An account as `--json` shows it.
#[derive(Serialize)]
pub(super) struct User<'a> {
    pub(super) address: String,
    pub(super) name: Option<&'a str>,
    pub(super) admin: bool,
    pub(super) disabled: bool,
    /// Whether there is an account password.
    pub(super) password: bool,
    /// Whether a second factor is on.
    pub(super) totp: bool,
    pub(super) created_at: Timestamp,
    pub(super) last_login_at: Option<Timestamp>,
    /// The password that was made for it, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) generated_password: Option<&'a str>,
    /// What it has sent of what it may; where one account is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sending: Option<Standing>,
}

impl<'a> User<'a> {
    pub(super) fn of(account: &'a Account) -> Self {
        Self {
            address: account.address.to_string(),
            name: account.name.as_deref(),
            admin: account.admin,
            disabled: account.disabled,
            password: account.password_hash.is_some(),
            totp: account.totp,
            created_at: account.created_at,
            last_login_at: account.last_login_at,
            generated_password: None,
            sending: None,
        }
    }
}

/// Whether it is disabled, as people read it.
pub(super) fn disabled(user: &User<'_>) -> Cell {
    let look = if user.disabled { Look::Doubtful } else { Look::Plain };
    Cell::new(look, output::yes_no(user.disabled))
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
        });
        assert_eq!(serde_json::to_value(User::of(&account)).unwrap(), expected);
    }
}
