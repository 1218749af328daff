//! What is noted for the ledger: as it comes, and as text while it waits for its rows.

use std::borrow::Cow;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Leased, NewReport, Operated, Outcome, Recipient, Recorded, Submission};
use types::QueueId;

use crate::row::bare;

/// What is noted, as little as is copied of it while mail waits.
#[derive(Debug, Clone)]
pub(crate) enum Note {
    /// A message was accepted, of so many octets.
    Accepted(Arc<Submission>, u64),
    /// This became of recipients (by number) of a message at this time.
    Outcomes(Arc<Submission>, Vec<(Recipient, Outcome)>, Timestamp),
    /// Something was done about a message.
    Operated(Operated),
}

impl Note {
    /// What there is to note of a record: its outcomes, and the report that is committed with them.
    pub(crate) fn of_record(
        leased: &Leased,
        outcomes: &[(u32, Outcome)],
        report: Option<&NewReport>,
        now: Timestamp,
    ) -> [Option<Self>; 2] {
        let report = report
            .map(|report| Self::Accepted(Arc::new(report.submission.clone()), report.content.len() as u64));
        [(!outcomes.is_empty()).then(|| Self::outcomes(leased, outcomes, now)), report]
    }

    /// What of it is so, once it is recorded.
    pub(crate) fn recorded([outcomes, report]: [Option<Self>; 2], recorded: Recorded) -> [Option<Self>; 2] {
        match recorded {
            Recorded::Kept => [outcomes, report],
            Recorded::KeptWithoutReport => [outcomes, None],
            Recorded::TakenOver => [outcomes.map(Self::delivered_alone), None],
        }
    }

    fn delivered_alone(mut self) -> Self {
        if let Self::Outcomes(_, outcomes, _) = &mut self {
            outcomes.retain(|(_, outcome)| matches!(outcome, Outcome::Delivered { .. }));
        }
        self
    }

    /// The outcomes of a delivery.
    pub(crate) fn outcomes(leased: &Leased, outcomes: &[(u32, Outcome)], now: Timestamp) -> Self {
        let known = |number: u32| leased.recipients.iter().find(|recipient| recipient.number == number);
        let outcomes =
            outcomes.iter().filter_map(|(number, outcome)| Some((known(*number)?.clone(), outcome.clone())));
        Self::Outcomes(Arc::clone(&leased.submission), outcomes.collect(), now)
    }
}

/// What becomes rows. Ids are in their text form, times are milliseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Line<'a> {
    Message(MessageLine<'a>),
    Recipient(RecipientLine<'a>),
    Operation(OperationLine<'a>),
}

/// A message that was accepted.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct MessageLine<'a> {
    pub(super) id: Id,
    pub(super) account: [u8; 16],
    pub(super) account_address: Cow<'a, str>,
    pub(super) credential: Option<Cow<'a, str>>,
    pub(super) session: Option<String>,
    pub(super) ip: Option<String>,
    pub(super) tls_version: Option<Cow<'a, str>>,
    pub(super) tls_cipher: Option<Cow<'a, str>>,
    pub(super) sender: String,
    pub(super) message_id: Option<Cow<'a, str>>,
    pub(super) size: u64,
    pub(super) accepted_at: i64,
    pub(super) next_attempt_at: i64,
    pub(super) held: bool,
    pub(super) recipients: Vec<String>,
}

/// Where a recipient stands.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct RecipientLine<'a> {
    pub(super) message: Id,
    pub(super) number: u32,
    pub(super) address: String,
    pub(super) state: Cow<'a, str>,
    /// The attempts so far.
    pub(super) attempts: u32,
    pub(super) next_attempt_at: Option<i64>,
    pub(super) reply: Option<Cow<'a, str>>,
    pub(super) host: Option<Cow<'a, str>>,
    /// When this was so, if that is known.
    pub(super) at: Option<i64>,
    /// Whether the last of the attempts was made then and did not deliver.
    pub(super) has_failed: bool,
}

/// Something that was done about a message.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OperationLine<'a> {
    pub(super) message: Id,
    pub(super) at: i64,
    pub(super) operation: Cow<'a, str>,
    pub(super) done_by: Cow<'a, str>,
}

/// A queue id.
pub(super) type Id = [u8; 16];

impl Note {
    /// The rows of it.
    pub(super) fn lines(&self) -> Vec<Line<'_>> {
        match self {
            Note::Accepted(submission, size) => vec![Line::Message(message(submission, *size))],
            Note::Outcomes(submission, outcomes, now) => {
                let line = |(to, outcome)| Line::Recipient(recipient(submission.id, to, outcome, *now));
                outcomes.iter().map(|(to, outcome)| line((to, outcome))).collect()
            }
            Note::Operated(Operated { operation, by, at, id, .. }) => {
                vec![Line::Operation(OperationLine {
                    message: *id.as_bytes(),
                    at: at.as_millisecond(),
                    operation: operation.name().into(),
                    done_by: by.as_str().into(),
                })]
            }
        }
    }
}

fn message(submission: &Submission, size: u64) -> MessageLine<'_> {
    MessageLine {
        id: *submission.id.as_bytes(),
        account: *submission.account.as_bytes(),
        account_address: submission.account_address.as_str().into(),
        credential: submission.credential.as_deref().map(Cow::Borrowed),
        session: submission.session.map(|session| session.to_string()),
        ip: submission.ip.map(|ip| ip.to_string()),
        tls_version: submission.tls_version.as_deref().map(Cow::Borrowed),
        tls_cipher: submission.tls_cipher.as_deref().map(Cow::Borrowed),
        sender: bare(&submission.reverse_path.to_string()),
        message_id: submission.message_id.as_deref().map(Cow::Borrowed),
        size,
        accepted_at: submission.accepted_at.as_millisecond(),
        next_attempt_at: submission.first_due_at().as_millisecond(),
        held: submission.held,
        recipients: submission.recipients.iter().map(|to| bare(&to.path.to_string())).collect(),
    }
}

fn recipient<'a>(
    message: QueueId,
    recipient: &Recipient,
    outcome: &'a Outcome,
    now: Timestamp,
) -> RecipientLine<'a> {
    let (reply, next_attempt_at) = match outcome {
        Outcome::Delivered { reply, .. }
        | Outcome::Failed { reply, .. }
        | Outcome::Returned { reply, .. } => (Some(reply), None),
        Outcome::Deferred { reply, next_attempt_at, .. } => (Some(reply), Some(*next_attempt_at)),
        Outcome::Held { reply, .. } => (reply.as_ref(), None),
    };
    let was_tried = !matches!(outcome, Outcome::Held { reply: None, .. } | Outcome::Returned { .. });
    RecipientLine {
        message: *message.as_bytes(),
        number: recipient.number,
        address: bare(&recipient.to.path.to_string()),
        state: outcome.state().name().into(),
        attempts: recipient.attempts.saturating_add(u32::from(was_tried)),
        next_attempt_at: next_attempt_at.map(Timestamp::as_millisecond),
        reply: reply.map(|reply| reply.as_str().into()),
        host: outcome.host().map(Cow::Borrowed),
        at: Some(now.as_millisecond()),
        has_failed: was_tried && !matches!(outcome, Outcome::Delivered { .. }),
    }
}
