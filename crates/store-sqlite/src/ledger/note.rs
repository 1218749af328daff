//! What is noted for the ledger: what becomes rows, packed into as few octets as memory and the disk can take while mail needs both.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Leased, NewReport, Operated, Outcome, Recipient, Recorded, Submission};
use types::QueueId;

use crate::row::bare;

/// The room for a note, in octets: most have fewer.
const USUAL: usize = 320;

/// The octets of a piece that has no room for another note.
const PIECE: usize = 32 * 1024;

/// What is noted together: lines, one packed behind the other.
#[derive(Debug, Clone)]
pub(crate) struct Note(Vec<u8>);

impl Note {
    /// A message was accepted, of so many octets.
    pub(crate) fn accepted(submission: &Submission, size: u64) -> Self {
        Self::of([Line::Message(message(submission, size))])
    }

    /// What there is to note of a record: its outcomes, and the report that is committed with them.
    pub(crate) fn of_record(
        leased: &Leased,
        outcomes: &[(u32, Outcome)],
        report: Option<&NewReport>,
        now: Timestamp,
    ) -> [Option<Self>; 2] {
        let report = report.map(|report| Self::accepted(&report.submission, report.content.len() as u64));
        [(!outcomes.is_empty()).then(|| Self::outcomes(leased, outcomes, now)), report]
    }

    /// What of it is so, once it is recorded.
    pub(crate) fn recorded([outcomes, report]: [Option<Self>; 2], recorded: Recorded) -> [Option<Self>; 2] {
        match recorded {
            Recorded::Kept => [outcomes, report],
            Recorded::KeptWithoutReport => [outcomes, None],
            Recorded::TakenOver => [outcomes.map(|outcomes| outcomes.delivered_alone()), None],
        }
    }

    fn delivered_alone(&self) -> Self {
        Self::of(
            unpacked(&self.0).filter(|line| matches!(line, Line::Recipient(to) if to.state == "delivered")),
        )
    }

    /// The outcomes of a delivery.
    pub(crate) fn outcomes(leased: &Leased, outcomes: &[(u32, Outcome)], now: Timestamp) -> Self {
        let known = |number: u32| leased.recipients.iter().find(|recipient| recipient.number == number);
        let id = leased.submission.id;
        Self::of(outcomes.iter().filter_map(|(number, outcome)| {
            Some(Line::Recipient(recipient(id, known(*number)?, outcome, now)))
        }))
    }

    /// Something was done about a message.
    pub(crate) fn operated(operated: &Operated) -> Self {
        Self::of([Line::Operation(OperationLine {
            message: *operated.id.as_bytes(),
            at: operated.at.as_millisecond(),
            operation: operated.operation.name().into(),
            done_by: operated.by.as_str().into(),
        })])
    }

    fn of<'a>(lines: impl IntoIterator<Item = Line<'a>>) -> Self {
        let pack = |packed, line| postcard::to_extend(&line, packed).unwrap_or_default();
        Self(lines.into_iter().fold(Vec::with_capacity(USUAL), pack))
    }
}

/// Notes, one behind the other: what became of a message takes a few hundred octets while it waits, and nothing else of it stays in memory.
#[derive(Debug)]
pub(super) struct Piece {
    packed: Vec<u8>,
    notes: usize,
}

impl From<&Note> for Piece {
    fn from(note: &Note) -> Self {
        Self { packed: note.0.clone(), notes: 1 }
    }
}

impl Piece {
    pub(super) fn has_room(&self) -> bool {
        self.packed.len() < PIECE
    }

    pub(super) fn add(&mut self, note: &Note) {
        self.packed.extend_from_slice(&note.0);
        self.notes += 1;
    }

    /// The notes as they are written.
    pub(super) fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// How many they are.
    pub(super) fn notes(&self) -> usize {
        self.notes
    }
}

/// The lines that were packed; what is damaged is lost.
pub(super) fn unpacked(mut packed: &[u8]) -> impl Iterator<Item = Line<'_>> {
    std::iter::from_fn(move || {
        let (line, rest) = postcard::take_from_bytes(packed).ok()?;
        packed = rest;
        Some(line)
    })
}

/// What becomes rows. Ids are octets, times are milliseconds since 1970. The order of the fields is a form that stays: notes wait in the database.
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
