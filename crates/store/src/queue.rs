//! The queue as operators see it, and what they do to it.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use types::{AccountId, Domain, QueueId, ReversePath};

use crate::{Account, Corrupt, RecipientState};

/// Which entries; an empty filter lets all through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueFilter {
    /// Also those that are settled, and in no list else.
    pub settled: bool,
    /// With an id of this range.
    pub ids: Option<RangeInclusive<QueueId>>,
    /// That call themselves so, or whose Message-ID begins so; it has angle brackets.
    pub message_id: Option<String>,
    /// Handed in by this account.
    pub account: Option<QueuedBy>,
    /// Handed in by this very account, under whichever address: never by another that has had its address.
    pub owner: Option<AccountId>,
    /// With this reverse-path.
    pub sender: Option<ReversePath>,
    /// Handed in with this credential, as the audit trail has it.
    pub credential: Option<String>,
    /// Accepted before this.
    pub accepted_before: Option<Timestamp>,
    /// With a recipient of whom all of this is true.
    pub recipient: RecipientFilter,
}

/// Whose entries: those of an account that there is, also under an address that it had before, and those that were handed
/// in under the address, also by an account that is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuedBy {
    /// The account, if there is one.
    pub account: Option<AccountId>,
    /// Its address. ASCII letters are compared without regard to case.
    pub address: String,
}

impl QueuedBy {
    /// What this account has handed in, under whichever address.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        Self { account: Some(account.id), address: account.address.to_string() }
    }
}

/// Which recipients; an empty filter lets all through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecipientFilter {
    /// Of this domain, as it is given here or in A-labels.
    pub domain: Option<Domain>,
    /// In this state, as [`Spool::show`](crate::Spool::show) tells it.
    pub state: Option<RecipientState>,
    /// Whose last reply has this text in it. ASCII letters are compared without regard to case.
    pub reply_contains: Option<String>,
}

impl RecipientFilter {
    /// Whether it lets all through.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == RecipientFilter::default()
    }
}

/// What operators do to entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Makes every recipient that does not have the message due, failed ones too, whenever it was to leave. A hold stays.
    Retry,
    /// Keeps an entry from being delivered until it is released; a running attempt still ends.
    Hold,
    /// Ends a hold, of the entry and of each recipient: what is not delivered or failed is due, though not before it may leave.
    Release,
    /// Ends all attempts, a hold too: whoever delivers next records each recipient that does not have the message as
    /// [returned](crate::Outcome::Returned), with a report to its sender. A running attempt still counts, if it delivers.
    Bounce,
    /// Removes an entry and its message; nobody is told.
    Remove,
    /// Takes an entry back whole while it need not leave yet: before its [`not_before`](crate::Submission::not_before), if nobody has it
    /// leased, none of its recipients was tried and no operator holds it. Nobody is told, and the same message may be handed in again.
    Undo,
    /// Removes an entry, unless an operator holds it, for whoever has sent it: those who do not have it do not get it. The same message may be
    /// handed in again.
    Stop,
}

impl Operation {
    /// Every operation there is.
    pub const ALL: [Operation; 7] = [
        Operation::Retry,
        Operation::Hold,
        Operation::Release,
        Operation::Bounce,
        Operation::Remove,
        Operation::Undo,
        Operation::Stop,
    ];

    /// The operation as it is written and stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Operation::Retry => "retry",
            Operation::Hold => "hold",
            Operation::Release => "release",
            Operation::Bounce => "bounce",
            Operation::Remove => "remove",
            Operation::Undo => "undo",
            Operation::Stop => "stop",
        }
    }

    /// Whether the entry is gone afterwards, with its message.
    #[must_use]
    pub fn removes(self) -> bool {
        match self {
            Operation::Remove | Operation::Undo | Operation::Stop => true,
            Operation::Retry | Operation::Hold | Operation::Release | Operation::Bounce => false,
        }
    }

    /// The operation that is written so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Operation::ALL.into_iter().find(|operation| operation.name() == name)
    }
}

/// An operation on one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operated {
    /// What was done.
    pub operation: Operation,
    /// Who did it, as the audit trail has it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The entry.
    pub id: QueueId,
    /// The address of the account that had handed it in.
    pub account: String,
    /// What its message calls itself.
    pub message_id: Option<String>,
}

/// An entry as `queue list` shows it: as stored, so that a damaged one can be shown too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The id told in the 250 reply.
    pub id: QueueId,
    /// The address of the account that handed it in.
    pub account: String,
    /// The reverse-path without angle brackets; empty for the null reverse-path.
    pub sender: String,
    /// The size of the message in octets.
    pub size: u64,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When the next of its recipients is due; `None` if none will be.
    pub next_attempt_at: Option<Timestamp>,
    /// Whether it waits for an operator, or those of its recipients do who do not have it.
    pub held: bool,
    /// How many recipients it has.
    pub recipients: u32,
    /// The worst of the states of its recipients: `failed`, then `held`, `deferred`, `queued` and `delivered`.
    pub state: RecipientState,
    /// The last reply to a recipient in that state.
    pub last_reply: Option<String>,
    /// What the message calls itself.
    pub message_id: Option<String>,
    /// The credential that it was handed in with, as the audit trail has it.
    pub credential: Option<String>,
    /// What its sender calls the envelope in notifications: ENVID (RFC 3461 section 4.4).
    pub envid: Option<String>,
    /// What of it its sender wants back in notifications: RET (RFC 3461 section 4.3).
    pub ret: Option<String>,
    /// When it may leave at the earliest, if that was later than it was accepted: its sender can take it back until then, or wants it held (RFC 4865).
    pub not_before: Option<Timestamp>,
    /// By when its sender wants it delivered (RFC 2852).
    pub deliver_by: Option<Timestamp>,
    /// What is done then: `R` or `N`, with `T` for trace.
    pub by_mode: Option<String>,
    /// Which of the messages that wait comes first, from -9 to 9 (RFC 6710).
    pub priority: i8,
    /// What its sender wants of TLS on its way: `yes` (REQUIRETLS) or `no` (`TLS-Required: No`), if anything (RFC 8689).
    pub tls_required: Option<String>,
}

/// An entry as `queue show` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// What the list shows.
    pub entry: Entry,
    /// Its recipients in the order of their numbers.
    pub recipients: Vec<RecipientDetails>,
    /// What is damaged of its envelope, so that it is held instead of being delivered or returned.
    pub damaged: Option<Corrupt>,
}

/// A recipient as `queue show` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipientDetails {
    /// The forward-path without angle brackets.
    pub address: String,
    /// Where it stands.
    pub state: RecipientState,
    /// How often delivery was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// What the next host last said, or what went wrong before it could.
    pub last_reply: Option<String>,
    /// Who said it.
    pub last_host: Option<String>,
    /// When the sender wants to be told: NOTIFY (RFC 3461 section 4.1).
    pub notify: Option<String>,
    /// Whom the sender had named: ORCPT (RFC 3461 section 4.2), decoded.
    pub orcpt: Option<String>,
}

/// The queue in figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Entries.
    pub entries: u64,
    /// Octets of their messages.
    pub octets: u64,
    /// Recipients not tried yet.
    pub queued: u64,
    /// Recipients that will be tried again.
    pub deferred: u64,
    /// Recipients that wait for an operator.
    pub held: u64,
    /// Recipients that failed for good.
    pub failed: u64,
    /// When the oldest entry was accepted.
    pub oldest: Option<Timestamp>,
}
