//! A recipient, and how far delivery to it has come.

use jiff::Timestamp;
use serde::Serialize;
use store::{LedgerRecipient, RecipientDetails};

/// A recipient, as the queue and the ledger know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Recipient {
    /// The forward-path without angle brackets.
    pub address: String,
    /// Where it stands.
    pub state: &'static str,
    /// How often delivery was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// What the next host last said, or what went wrong before it could.
    pub last_reply: Option<String>,
    /// Who said it.
    pub last_host: Option<String>,
}

/// A recipient of a message in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct QueuedRecipient {
    /// How far delivery has come.
    #[serde(flatten)]
    pub known: Recipient,
    /// When the sender wants to be told, such as `SUCCESS,FAILURE` or `NEVER` (RFC 3461 section 4.1).
    pub notify: Option<String>,
    /// Whom the sender had named, such as `rfc822;bob@example.net` (RFC 3461 section 4.2).
    pub orcpt: Option<String>,
}

/// A recipient of a message that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SentRecipient {
    /// How far delivery has come.
    #[serde(flatten)]
    pub known: Recipient,
    /// When it was delivered or failed, if that was noted.
    pub done_at: Option<Timestamp>,
}

impl From<RecipientDetails> for QueuedRecipient {
    fn from(queued: RecipientDetails) -> Self {
        let known = Recipient {
            address: queued.address,
            state: queued.state.name(),
            attempts: queued.attempts,
            next_attempt_at: queued.next_attempt_at,
            last_reply: queued.last_reply,
            last_host: queued.last_host,
        };
        Self { known, notify: queued.notify, orcpt: queued.orcpt }
    }
}

impl From<LedgerRecipient> for SentRecipient {
    fn from(sent: LedgerRecipient) -> Self {
        let known = Recipient {
            address: sent.address,
            state: sent.state.name(),
            attempts: sent.attempts,
            next_attempt_at: sent.next_attempt_at,
            last_reply: sent.last_reply,
            last_host: sent.last_host,
        };
        Self { known, done_at: sent.done_at }
    }
}
