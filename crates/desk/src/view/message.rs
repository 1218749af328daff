//! A message in the queue, and the queue in figures.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Details, Entry};

use super::recipient::QueuedRecipient;

/// A message in the queue: a list counts the recipients, and one that is shown tells each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Message<Recipients> {
    /// The identifier told in the 250 reply.
    pub id: String,
    /// The address of the account that handed it in.
    pub account: String,
    /// The reverse-path without angle brackets; empty for the null reverse-path.
    pub sender: String,
    /// What it calls itself.
    pub message_id: Option<String>,
    /// What it was handed in with.
    pub credential: Option<String>,
    /// What its sender calls the envelope in notifications (RFC 3461 section 4.4).
    pub envid: Option<String>,
    /// What of it its sender wants back in notifications: `FULL` or `HDRS` (RFC 3461 section 4.3).
    pub ret: Option<String>,
    /// When it may leave at the earliest, if that was later than it was accepted.
    pub not_before: Option<Timestamp>,
    /// By when its sender wants it delivered (RFC 2852).
    pub deliver_by: Option<Timestamp>,
    /// What is done then: `R`, it is returned, or `N`, its sender is told; with `T` for trace.
    pub by_mode: Option<String>,
    /// Which of the messages that wait comes first, from -9 to 9 (RFC 6710).
    pub priority: i8,
    /// What its sender wants of TLS on its way: `yes`, nobody gets it who has not proved by TLS to be the right host (REQUIRETLS), or `no`, it leaves even
    /// if what the domain demands is not proved (`TLS-Required: No`; RFC 8689).
    pub tls_required: Option<String>,
    /// Its size in octets.
    pub size: u64,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When the next of its recipients is due.
    pub next_attempt_at: Option<Timestamp>,
    /// Whether it waits for an operator.
    pub held: bool,
    /// The worst of its recipients' states.
    pub state: &'static str,
    /// The last reply to a recipient in that state.
    pub last_reply: Option<String>,
    /// Its recipients: how many, or each.
    #[cfg_attr(feature = "schema", schema(inline))]
    pub recipients: Recipients,
}

/// The queue in figures: messages and octets, then recipients by state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Stats {
    /// Messages.
    pub entries: u64,
    /// Octets of them.
    pub octets: u64,
    /// Recipients not tried yet.
    pub queued: u64,
    /// Recipients that will be tried again.
    pub deferred: u64,
    /// Recipients that wait for an operator.
    pub held: u64,
    /// Recipients that failed for good.
    pub failed: u64,
    /// When the oldest message was accepted.
    pub oldest_accepted_at: Option<Timestamp>,
}

impl<Recipients> Message<Recipients> {
    fn of(entry: Entry, recipients: Recipients) -> Self {
        Self {
            id: entry.id.to_string(),
            account: entry.account,
            sender: entry.sender,
            message_id: entry.message_id,
            credential: entry.credential,
            envid: entry.envid,
            ret: entry.ret,
            not_before: entry.not_before,
            deliver_by: entry.deliver_by,
            by_mode: entry.by_mode,
            priority: entry.priority,
            tls_required: entry.tls_required,
            size: entry.size,
            accepted_at: entry.accepted_at,
            next_attempt_at: entry.next_attempt_at,
            held: entry.held,
            state: entry.state.name(),
            last_reply: entry.last_reply,
            recipients,
        }
    }
}

impl Message<u32> {
    pub(crate) fn listed(entry: Entry) -> Self {
        let recipients = entry.recipients;
        Self::of(entry, recipients)
    }
}

impl Message<Vec<QueuedRecipient>> {
    pub(crate) fn shown(Details { entry, recipients, .. }: Details) -> Self {
        Self::of(entry, recipients.into_iter().map(QueuedRecipient::from).collect())
    }
}

impl Stats {
    pub(crate) fn of(stats: &store::Stats) -> Self {
        let store::Stats { entries, octets, queued, deferred, held, failed, oldest } = *stats;
        Self { entries, octets, queued, deferred, held, failed, oldest_accepted_at: oldest }
    }
}

#[cfg(test)]
mod tests {
    use store::{RecipientDetails, RecipientState};
    use types::QueueId;

    use super::*;

    fn entry() -> Entry {
        Entry {
            id: QueueId::from_bytes([0; 16]),
            account: "alice@example.org".to_owned(),
            sender: "alice@example.org".to_owned(),
            size: 2048,
            accepted_at: "2026-11-21T12:00:00Z".parse().unwrap(),
            next_attempt_at: Some("2026-11-21T12:05:00Z".parse().unwrap()),
            held: false,
            recipients: 1,
            state: RecipientState::Deferred,
            last_reply: Some("451 4.3.0 later".to_owned()),
            message_id: None,
            credential: Some("password".to_owned()),
            envid: Some("order 66".to_owned()),
            ret: Some("HDRS".to_owned()),
            not_before: None,
            deliver_by: Some("2026-11-21T14:00:00Z".parse().unwrap()),
            by_mode: Some("RT".to_owned()),
            priority: -4,
            tls_required: Some("yes".to_owned()),
        }
    }

    #[test]
    fn the_json_of_the_list_counts_the_recipients() {
        let expected = serde_json::json!({
            "id": "00000000000000000000000000", "account": "alice@example.org", "sender": "alice@example.org",
            "message_id": null, "credential": "password", "envid": "order 66", "ret": "HDRS",
            "not_before": null, "deliver_by": "2026-11-21T14:00:00Z", "by_mode": "RT", "priority": -4, "tls_required": "yes", "size": 2048, "accepted_at": "2026-11-21T12:00:00Z",
            "next_attempt_at": "2026-11-21T12:05:00Z", "held": false, "state": "deferred",
            "last_reply": "451 4.3.0 later", "recipients": 1,
        });
        assert_eq!(serde_json::to_value(Message::listed(entry())).unwrap(), expected);
    }

    #[test]
    fn the_json_of_one_entry_tells_each_recipient() {
        let recipient = RecipientDetails {
            address: "bob@example.net".to_owned(),
            state: RecipientState::Deferred,
            attempts: 2,
            next_attempt_at: None,
            last_reply: Some("451 4.3.0 later".to_owned()),
            last_host: Some("mx.example.net".to_owned()),
            notify: Some("NEVER".to_owned()),
            orcpt: None,
        };
        let details = Details { entry: entry(), recipients: vec![recipient], damaged: None };
        let shown = serde_json::to_value(Message::shown(details)).unwrap();
        let expected = serde_json::json!([{
            "address": "bob@example.net", "state": "deferred", "attempts": 2, "next_attempt_at": null,
            "last_reply": "451 4.3.0 later", "last_host": "mx.example.net",
            "notify": "NEVER", "orcpt": null,
        }]);
        assert_eq!(shown["recipients"], expected);
    }
}
