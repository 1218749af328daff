//! An entry of the queue as `--json` shows it, and what of it people read in other words.

use jiff::Timestamp;
use serde::Serialize;
use store::{Entry, RecipientState};

use crate::output::{self, Cell, Look};

/// An entry as `--json` shows it: `list` counts the recipients, `show` tells each.
#[derive(Serialize)]
pub(super) struct View<'a, R> {
    pub(super) id: String,
    pub(super) account: &'a str,
    pub(super) sender: &'a str,
    pub(super) message_id: Option<&'a str>,
    pub(super) credential: Option<&'a str>,
    pub(super) size: u64,
    pub(super) accepted_at: Timestamp,
    pub(super) next_attempt_at: Option<Timestamp>,
    pub(super) held: bool,
    pub(super) state: &'static str,
    pub(super) last_reply: Option<&'a str>,
    pub(super) recipients: R,
}

impl<'a, R> View<'a, R> {
    pub(super) fn of(entry: &'a Entry, recipients: R) -> Self {
        Self {
            id: entry.id.to_string(),
            account: &entry.account,
            sender: &entry.sender,
            message_id: entry.message_id.as_deref(),
            credential: entry.credential.as_deref(),
            size: entry.size,
            accepted_at: entry.accepted_at,
            next_attempt_at: entry.next_attempt_at,
            held: entry.held,
            state: entry.state.name(),
            last_reply: entry.last_reply.as_deref(),
            recipients,
        }
    }
}

/// A sender as people read it.
pub(super) fn sender(sender: &str) -> String {
    if sender.is_empty() { "<>".to_owned() } else { sender.to_owned() }
}

/// A state as people read it.
pub(super) fn state(state: &str) -> Cell {
    let look = state.parse().map_or(Look::Plain, |state| match state {
        RecipientState::Queued => Look::Plain,
        RecipientState::Deferred | RecipientState::Held => Look::Doubtful,
        RecipientState::Delivered => Look::Good,
        RecipientState::Failed => Look::Bad,
    });
    Cell::new(look, state)
}

/// When an entry is tried next, as people read it.
pub(super) fn next(held: bool, at: Option<Timestamp>) -> String {
    if held { "held".to_owned() } else { output::time_or(at, "none") }
}

#[cfg(test)]
pub(super) mod tests {
    use types::QueueId;

    use super::*;

    pub(in crate::cmd::queue) fn entry() -> Entry {
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
        }
    }

    #[test]
    fn the_json_of_the_list_counts_the_recipients() {
        let expected = serde_json::json!({
            "id": "00000000000000000000000000", "account": "alice@example.org", "sender": "alice@example.org",
            "message_id": null, "credential": "password", "size": 2048, "accepted_at": "2026-11-21T12:00:00Z",
            "next_attempt_at": "2026-11-21T12:05:00Z", "held": false, "state": "deferred",
            "last_reply": "451 4.3.0 later", "recipients": 1,
        });
        assert_eq!(serde_json::to_value(View::of(&entry(), 1)).unwrap(), expected);
    }
}
