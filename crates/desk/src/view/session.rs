//! A browser session.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;
use store::WebSession;
use types::WebSessionId;

/// A browser session, without what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Session {
    /// What it is ended by.
    pub id: String,
    /// Where it was opened from.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub ip: IpAddr,
    /// The browser, as it calls itself.
    pub agent: String,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, within a minute.
    pub seen_at: Timestamp,
    /// Whether it is the session of whoever asks.
    pub current: bool,
}

impl Session {
    pub(crate) fn of(session: &WebSession, current: Option<WebSessionId>) -> Self {
        Self {
            id: session.id.to_string(),
            ip: session.ip,
            agent: session.agent.clone(),
            created_at: session.made_at,
            seen_at: session.seen_at,
            current: current == Some(session.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use types::AccountId;

    use super::*;

    #[test]
    fn the_json_of_a_session_has_the_promised_keys() {
        let at: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let id = WebSessionId::from_bytes([0; 16]);
        let session = WebSession {
            id,
            account: AccountId::from_bytes([1; 16]),
            version: 1,
            made_at: at,
            seen_at: at,
            confirmed_at: at,
            ends_at: at,
            ip: "192.0.2.1".parse().unwrap(),
            agent: "Browser/1.0".to_owned(),
        };
        let expected = serde_json::json!({
            "id": "00000000000000000000000000", "ip": "192.0.2.1", "agent": "Browser/1.0",
            "created_at": "2026-11-21T12:00:00Z", "seen_at": "2026-11-21T12:00:00Z", "current": true,
        });
        assert_eq!(serde_json::to_value(Session::of(&session, Some(id))).unwrap(), expected);
        assert!(!Session::of(&session, None).current);
    }
}
