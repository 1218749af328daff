//! The ledger: what was sent, by whom and how, and what became of it, also after it has left the queue.

use std::future::Future;

use jiff::Timestamp;
use types::{AccountId, QueueId};

use crate::{Error, Operated, Page, QueuedBy};

/// The ledger.
///
/// The [`Spool`](crate::Spool) tells it whatever it has confirmed: messages, outcomes, operations. That is noted in memory and written a
/// little later, together with others, so that no message waits for it. A crash loses the last second of it at most, and what of that the queue
/// still knows is found again. It is for people to read: where it can't be written, mail goes on.
pub trait Ledger: Send + Sync + 'static {
    /// Whether anything is noted from now on.
    fn set_kept(&self, kept: bool);

    /// Writes what is noted.
    fn flush(&self) -> impl Future<Output = Result<(), Error>> + Send;

    /// A page of the messages that the filter lets through, newest first.
    fn messages(
        &self,
        filter: &LedgerFilter,
        page: Page<QueueId>,
    ) -> impl Future<Output = Result<Vec<LedgerMessage>, Error>> + Send;

    /// How many messages this account has handed in since then with each credential, as the audit trail has it in lower case.
    fn sent_with(
        &self,
        account: AccountId,
        since: Timestamp,
    ) -> impl Future<Output = Result<Vec<(String, u64)>, Error>> + Send;

    /// The ids of messages whose id or Message-ID begins so, newest first, so many at most.
    fn named(
        &self,
        name: &LedgerName,
        at_most: u32,
    ) -> impl Future<Output = Result<Vec<QueueId>, Error>> + Send;

    /// All that is known of a message.
    fn trace(&self, id: QueueId) -> impl Future<Output = Result<Option<LedgerTrace>, Error>> + Send;

    /// What was handed in since then. It goes through all of that.
    fn traffic(&self, since: Timestamp) -> impl Future<Output = Result<Traffic, Error>> + Send;

    /// Forgets some of the messages that were accepted before `before`. Whether there may be more.
    fn prune(&self, before: Timestamp) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// Which messages; an empty filter lets all through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerFilter {
    /// Handed in by this account, under whichever address; or under this address, if there is no such account.
    pub account: Option<QueuedBy>,
    /// Handed in with this credential, as the audit trail has it.
    pub credential: Option<String>,
    /// With this recipient. ASCII letters are compared without regard to case.
    pub recipient: Option<String>,
    /// Of which some recipient is in this state.
    pub state: Option<LedgerState>,
    /// That call themselves so; with angle brackets.
    pub message_id: Option<String>,
    /// Accepted then or later.
    pub since: Option<Timestamp>,
    /// Accepted before this.
    pub until: Option<Timestamp>,
}

/// What a message is named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerName {
    /// An id of this range.
    Ids(std::ops::RangeInclusive<QueueId>),
    /// The beginning of a Message-ID, or all of it, with angle brackets.
    MessageId(String),
}

/// A message as `message list` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerMessage {
    /// The id told in the 250 reply.
    pub id: QueueId,
    /// The address that the account had which handed it in.
    pub account: String,
    /// The credential that it was handed in with; `None` without a login.
    pub credential: Option<String>,
    /// The session, as in the log.
    pub session: Option<String>,
    /// Where from.
    pub ip: Option<String>,
    /// The version and the cipher of TLS.
    pub tls: Option<String>,
    /// The reverse-path without angle brackets; empty for the null reverse-path.
    pub sender: String,
    /// What the message calls itself.
    pub message_id: Option<String>,
    /// The size of the message in octets.
    pub size: u64,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// How many recipients it has.
    pub recipients: u32,
    /// The worst of the states of its recipients.
    pub state: LedgerState,
}

/// What was handed in since a time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Messages by the hour that they were accepted in, the oldest first; an hour without any is left out.
    pub hours: Vec<(Timestamp, u64)>,
    /// Recipients by where they stand now, in no particular order.
    pub recipients: Vec<(LedgerState, u64)>,
    /// The ten accounts that handed in most, the busiest first.
    pub busiest: Vec<TrafficOf>,
}

/// What an account has handed in since a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrafficOf {
    /// The address of the account at the time.
    pub account: String,
    /// Messages.
    pub messages: u64,
    /// Recipients of these.
    pub recipients: u64,
}

/// What is known of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerTrace {
    /// What the list shows.
    pub message: LedgerMessage,
    /// Its recipients in the order of their numbers.
    pub recipients: Vec<LedgerRecipient>,
    /// The attempts that did not deliver, in their order.
    pub attempts: Vec<LedgerAttempt>,
    /// What was done about it, in its order.
    pub operations: Vec<Operated>,
}

/// What became of a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRecipient {
    /// The forward-path without angle brackets.
    pub address: String,
    /// Where it stands.
    pub state: LedgerState,
    /// How often delivery was tried.
    pub attempts: u32,
    /// When it is tried next.
    pub next_attempt_at: Option<Timestamp>,
    /// What the next host last said, or what went wrong before it could.
    pub last_reply: Option<String>,
    /// Who said it.
    pub last_host: Option<String>,
    /// When it was delivered or failed, if that was noted.
    pub done_at: Option<Timestamp>,
}

/// An attempt that did not deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerAttempt {
    /// The number of the recipient.
    pub recipient: u32,
    /// When.
    pub at: Timestamp,
    /// What the recipient was afterwards.
    pub state: LedgerState,
    /// What the next host said, or what went wrong before it could.
    pub reply: String,
    /// Who said it.
    pub host: Option<String>,
}

/// Where a recipient stands, as the ledger knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LedgerState {
    /// Not tried yet.
    Queued,
    /// Tried, and will be again.
    Deferred,
    /// Waits for an operator.
    Held,
    /// The next host has it.
    Delivered,
    /// Refused for good, or given up.
    Failed,
    /// It was taken back, stopped or removed before it was delivered.
    Cancelled,
}

impl LedgerState {
    /// Every state there is, the worst first.
    pub const ALL: [LedgerState; 6] = [
        LedgerState::Failed,
        LedgerState::Held,
        LedgerState::Deferred,
        LedgerState::Queued,
        LedgerState::Cancelled,
        LedgerState::Delivered,
    ];

    /// The state as it is written and stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            LedgerState::Queued => "queued",
            LedgerState::Deferred => "deferred",
            LedgerState::Held => "held",
            LedgerState::Delivered => "delivered",
            LedgerState::Failed => "failed",
            LedgerState::Cancelled => "cancelled",
        }
    }

    /// The state that is written so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        LedgerState::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether something may still become of it.
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            LedgerState::Queued | LedgerState::Deferred | LedgerState::Held => true,
            LedgerState::Delivered | LedgerState::Failed | LedgerState::Cancelled => false,
        }
    }
}
