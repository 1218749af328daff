//! An app password, and one that was just made.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;
use store::LastUse;
use zeroize::Zeroizing;

use super::secret;

/// An app password, without the password.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AppPassword {
    /// What it is revoked by.
    pub id: String,
    /// Where it is in use, in its owner's words.
    pub label: String,
    /// What it is good for.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    pub scopes: Vec<&'static str>,
    /// Where it may be used from; everywhere, if empty.
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    pub networks: Vec<IpNet>,
    /// In whose names it may send; in all that the account may, if empty.
    pub senders: Vec<String>,
    /// Whether it can be used with CRAM-MD5.
    pub cram_md5: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// From where.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub last_used_ip: Option<IpAddr>,
}

/// An app password that was just made.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct NewAppPassword {
    /// What there is to show of it from now on.
    #[serde(flatten)]
    pub app_password: AppPassword,
    /// The sixteen letters, shown this once.
    #[serde(serialize_with = "secret::shown")]
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub password: Zeroizing<String>,
    /// The letters in groups of four, as people type them.
    #[serde(skip)]
    #[cfg_attr(feature = "schema", schema(ignore))]
    pub grouped: Zeroizing<String>,
}

impl AppPassword {
    pub(crate) fn of(password: &store::AppPassword, cram_md5: bool) -> Self {
        let last_used = password.last_used.as_ref();
        Self {
            id: password.id.to_string(),
            label: password.label.clone(),
            scopes: password.scopes.iter().map(|scope| scope.name()).collect(),
            networks: password.networks.clone(),
            senders: password.senders.iter().map(ToString::to_string).collect(),
            cram_md5,
            created_at: password.created_at,
            expires_at: password.expires_at,
            last_used_at: last_used.map(|LastUse { at, .. }| *at),
            last_used_ip: last_used.map(|LastUse { ip, .. }| *ip),
        }
    }
}

impl fmt::Debug for NewAppPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAppPassword").field("app_password", &self.app_password).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use store::Scope;
    use types::{AccountId, CredentialId};

    use super::*;

    #[test]
    fn the_json_of_a_new_app_password_has_the_promised_keys() {
        let password = store::AppPassword {
            id: CredentialId::from_bytes([0; 16]),
            account: AccountId::from_bytes([1; 16]),
            label: "phone".to_owned(),
            scopes: vec![Scope::Smtp],
            networks: vec!["192.0.2.0/24".parse().unwrap()],
            senders: vec!["*@example.org".parse().unwrap()],
            created_at: "2026-11-21T12:00:00Z".parse().unwrap(),
            expires_at: None,
            last_used: None,
        };
        let expected = serde_json::json!({
            "id": "00000000000000000000000000", "label": "phone", "scopes": ["smtp"],
            "networks": ["192.0.2.0/24"], "senders": ["*@example.org"], "cram_md5": true, "created_at": "2026-11-21T12:00:00Z",
            "expires_at": null, "last_used_at": null, "last_used_ip": null, "password": "abcdefghijklmnop",
        });
        let created = NewAppPassword {
            app_password: AppPassword::of(&password, true),
            password: Zeroizing::new("abcdefghijklmnop".to_owned()),
            grouped: Zeroizing::new("abcd efgh ijkl mnop".to_owned()),
        };
        assert_eq!(serde_json::to_value(created).unwrap(), expected);
    }
}
