//! An API token, and one that was just made.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;
use types::Scope;
use zeroize::Zeroizing;

use super::secret;

/// An API token, without what opens the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ApiToken {
    /// What it is revoked by.
    pub id: String,
    /// Where it is in use, in its owner's words.
    pub label: String,
    /// What it is good for, as far as its owner may.
    pub scopes: Vec<Scope>,
    /// Where it may be used from; everywhere, if empty.
    pub networks: Vec<IpNet>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
    /// When it was last used, within a minute.
    pub last_used_at: Option<Timestamp>,
    /// From where.
    pub last_used_ip: Option<IpAddr>,
}

/// An API token that was just made.
#[derive(Serialize)]
pub struct NewApiToken {
    /// What there is to show of it from now on.
    #[serde(flatten)]
    pub api_token: ApiToken,
    /// What opens the API, shown this once.
    #[serde(serialize_with = "secret::shown")]
    pub token: Zeroizing<String>,
}

impl ApiToken {
    pub(crate) fn of(token: &store::ApiToken) -> Self {
        Self {
            id: token.id.to_string(),
            label: token.label.clone(),
            scopes: token.scopes.clone(),
            networks: token.networks.clone(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used.map(|(at, _)| at),
            last_used_ip: token.last_used.map(|(_, ip)| ip),
        }
    }
}

impl NewApiToken {
    pub(crate) fn of(api_token: &store::ApiToken, token: Zeroizing<String>) -> Self {
        Self { api_token: ApiToken::of(api_token), token }
    }
}

impl fmt::Debug for NewApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewApiToken").field("api_token", &self.api_token).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use types::{AccountId, ApiTokenId};

    use super::*;

    #[test]
    fn the_json_of_a_new_token_has_the_promised_keys() {
        let token = store::ApiToken {
            id: ApiTokenId::from_bytes([0; 16]),
            account: AccountId::from_bytes([1; 16]),
            label: "backup".to_owned(),
            scopes: vec![Scope::AccountRead, Scope::QueueWrite],
            networks: vec!["192.0.2.0/24".parse().unwrap()],
            created_at: "2026-11-21T12:00:00Z".parse().unwrap(),
            expires_at: "2027-02-19T12:00:00Z".parse().unwrap(),
            last_used: Some(("2026-11-22T12:00:00Z".parse().unwrap(), "192.0.2.1".parse().unwrap())),
        };
        let expected = serde_json::json!({
            "id": "00000000000000000000000000", "label": "backup", "scopes": ["account:read", "queue:write"],
            "networks": ["192.0.2.0/24"], "created_at": "2026-11-21T12:00:00Z", "expires_at": "2027-02-19T12:00:00Z",
            "last_used_at": "2026-11-22T12:00:00Z", "last_used_ip": "192.0.2.1", "token": "gp_…",
        });
        let made = NewApiToken::of(&token, Zeroizing::new("gp_…".to_owned()));
        assert_eq!(serde_json::to_value(&made).unwrap(), expected);
        assert!(!format!("{made:?}").contains("gp_"));
    }
}
