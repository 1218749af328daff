//! An entry of the audit trail.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;
use store::Via;

/// Events of one hour that differ in nothing but time and session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AuditEntry {
    /// Of the last event.
    pub time: Timestamp,
    /// Of the first.
    pub first_time: Timestamp,
    /// What was done, or tried.
    pub action: &'static str,
    /// `success` or `failure`.
    pub result: &'static str,
    /// Why not, or `ok`.
    pub reason: String,
    /// Whose account.
    pub account: Option<String>,
    /// By or about which credential.
    pub credential: Option<String>,
    /// The SASL mechanism.
    pub mechanism: Option<String>,
    /// What for.
    pub scope: Option<String>,
    /// From where.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub ip: Option<IpAddr>,
    /// The version of TLS.
    pub tls: Option<String>,
    /// The session of the last event, as in the log.
    pub session: Option<String>,
    /// Who did it at the command line, where that is known.
    pub by: Option<String>,
    /// Who did it, at the command line or elsewhere; nobody is known before a login.
    pub actor: Option<String>,
    /// By which means.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub via: Option<&'static str>,
    /// How many.
    pub count: u64,
}

impl AuditEntry {
    pub(crate) fn of(entry: store::AuditEntry) -> Self {
        let event = entry.event;
        Self {
            time: event.at,
            first_time: entry.first_at,
            action: event.action.name(),
            result: event.result.name(),
            reason: event.reason.into_owned(),
            account: event.account,
            credential: event.credential,
            mechanism: event.mechanism,
            scope: event.scope,
            ip: event.ip,
            tls: event.tls,
            session: event.session,
            by: event.actor.clone().filter(|_| event.via == Some(Via::Cli)),
            actor: event.actor,
            via: event.via.map(Via::name),
            count: entry.count,
        }
    }
}

#[cfg(test)]
mod tests {
    use store::{Act, Action, AuditEvent};

    use super::*;

    #[test]
    fn the_json_of_an_event_has_the_promised_keys() {
        let act = Act::command("frank", "2026-11-21T12:00:00Z".parse().unwrap());
        let event = AuditEvent::change(Action::PasswordSet, "alice@example.org", &act).about("password");
        let expected = serde_json::json!({
            "time": "2026-11-21T12:00:00Z", "first_time": "2026-11-21T12:00:00Z", "action": "password-set",
            "result": "success", "reason": "ok", "account": "alice@example.org", "credential": "password",
            "mechanism": null, "scope": null, "ip": null, "tls": null, "session": null, "by": "frank", "actor": "frank",
            "via": "cli", "count": 1,
        });
        assert_eq!(serde_json::to_value(AuditEntry::of(event.into())).unwrap(), expected);
    }

    #[test]
    fn what_the_server_does_is_by_nobody_at_the_command_line() {
        let act = Act::server("2026-11-21T12:00:00Z".parse().unwrap());
        let event = AuditEvent::change(Action::PasswordRehash, "alice@example.org", &act);
        let entry = AuditEntry::of(event.into());
        assert_eq!((entry.by, entry.actor.as_deref(), entry.via), (None, Some("server"), Some("server")));
    }
}
