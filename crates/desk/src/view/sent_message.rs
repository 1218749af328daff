//! A message that was sent, and what became of it.

use jiff::Timestamp;
use serde::Serialize;
use store::{Details, LedgerMessage, LedgerTrace, RecipientDetails};

use super::recipient::{QueuedRecipient, SentRecipient};

/// A message that was sent: a list counts the recipients, and one that is shown tells each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SentMessage<Recipients> {
    /// The identifier told in the 250 reply.
    pub id: String,
    /// The address that the account had which handed it in.
    pub account: String,
    /// What it was handed in with.
    pub credential: Option<String>,
    /// Where from.
    pub ip: Option<String>,
    /// The session, as in the log.
    pub session: Option<String>,
    /// The version and the cipher of TLS.
    pub tls: Option<String>,
    /// The reverse-path without angle brackets; empty for the null reverse-path.
    pub sender: String,
    /// What it calls itself.
    pub message_id: Option<String>,
    /// Its size in octets.
    pub size: u64,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// The worst of its recipients' states.
    pub state: &'static str,
    /// Its recipients: how many, or each.
    #[cfg_attr(feature = "schema", schema(inline))]
    pub recipients: Recipients,
}

/// All that is known of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SentTrace {
    /// The message and its recipients.
    #[serde(flatten)]
    #[cfg_attr(feature = "schema", schema(inline))]
    pub message: SentMessage<Vec<SentRecipient>>,
    /// The attempts that did not deliver.
    pub failed_attempts: Vec<FailedAttempt>,
    /// What was done about it.
    pub operations: Vec<DoneOperation>,
}

/// An attempt that did not deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FailedAttempt {
    /// When.
    pub time: Timestamp,
    /// The forward-path without angle brackets.
    pub recipient: String,
    /// What the recipient was afterwards.
    pub state: &'static str,
    /// What the next host said, or what went wrong before it could.
    pub reply: String,
    /// Who said it.
    pub host: Option<String>,
}

/// Something that was done about a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DoneOperation {
    /// When.
    pub time: Timestamp,
    /// What: `retry`, `hold`, `release`, `bounce`, `remove`, `undo` or `stop`.
    pub operation: &'static str,
    /// Who did it.
    pub by: String,
}

impl SentMessage<u32> {
    pub(crate) fn listed(message: LedgerMessage) -> Self {
        let recipients = message.recipients;
        Self::of(message, recipients)
    }
}

impl<Recipients> SentMessage<Recipients> {
    fn of(message: LedgerMessage, recipients: Recipients) -> Self {
        Self {
            id: message.id.to_string(),
            account: message.account,
            credential: message.credential,
            ip: message.ip,
            session: message.session,
            tls: message.tls,
            sender: message.sender,
            message_id: message.message_id,
            size: message.size,
            accepted_at: message.accepted_at,
            state: message.state.name(),
            recipients,
        }
    }
}

impl SentTrace {
    /// What the ledger knows, with what the queue says now.
    pub(crate) fn of(trace: LedgerTrace, queued: Option<Details>) -> Self {
        let LedgerTrace { message, recipients, attempts, operations } = trace;
        let address = |number: u32| {
            let recipient = usize::try_from(number).ok().and_then(|number| recipients.get(number));
            recipient.map(|recipient| recipient.address.clone()).unwrap_or_default()
        };
        let attempts = attempts.into_iter().map(|attempt| FailedAttempt {
            time: attempt.at,
            recipient: address(attempt.recipient),
            state: attempt.state.name(),
            reply: attempt.reply,
            host: attempt.host,
        });
        let failed_attempts = attempts.collect();
        let operations = operations.into_iter().map(|done| DoneOperation {
            time: done.at,
            operation: done.operation.name(),
            by: done.by,
        });
        let known = recipients.into_iter().map(SentRecipient::from).collect();
        let (state, recipients) = match queued {
            None => (message.state.name(), known),
            Some(Details { entry, recipients, damaged: _ }) => (entry.state.name(), now(known, recipients)),
        };
        let message = SentMessage { state, ..SentMessage::of(message, recipients) };
        Self { message, failed_attempts, operations: operations.collect() }
    }

    /// What the queue knows of a message that is not in the ledger.
    pub(crate) fn of_queue(Details { entry, recipients, damaged: _ }: Details) -> Self {
        let message = SentMessage {
            id: entry.id.to_string(),
            account: entry.account,
            credential: entry.credential,
            ip: None,
            session: None,
            tls: None,
            sender: entry.sender,
            message_id: entry.message_id,
            size: entry.size,
            accepted_at: entry.accepted_at,
            state: entry.state.name(),
            recipients: now(Vec::new(), recipients),
        };
        Self { message, failed_attempts: Vec::new(), operations: Vec::new() }
    }
}

/// The recipients as the queue has them, with what the ledger knows besides.
fn now(known: Vec<SentRecipient>, queued: Vec<RecipientDetails>) -> Vec<SentRecipient> {
    let mut known = known.into_iter().map(|recipient| recipient.done_at);
    let recipient = |queued| SentRecipient {
        known: QueuedRecipient::from(queued).known,
        done_at: known.next().flatten(),
    };
    queued.into_iter().map(recipient).collect()
}
