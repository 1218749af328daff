//! The spool: accepted mail, from the 250 to its delivery.

use std::future::Future;

use bytes::Bytes;
use jiff::Timestamp;
use types::QueueId;

use crate::{Lease, Leased, Outcome, RecipientState, SpoolError, Submission};

/// The spool.
///
/// A message comes in by [`open`](Spool::open), [`append`](Spool::append) and [`commit`](Spool::commit); until
/// `commit` returns `Ok` nothing of it is visible, and afterwards all of it is on stable storage. An `Incoming` that is
/// dropped instead leaves nothing behind, save a file that the next start sweeps away if the process dies.
///
/// It goes out by [`lease_due`](Spool::lease_due), [`body`](Spool::body) and [`record`](Spool::record). A lease belongs to one
/// owner until its end, so several nodes may deliver from one spool.
pub trait Spool: Send + Sync + 'static {
    /// A message on its way in.
    type Incoming: Send + 'static;
    /// A reader of a stored message.
    type Body: Body;

    /// Begins a message. Nothing is written yet.
    fn open(&self, id: QueueId) -> Self::Incoming;

    /// Adds octets to the end of the message. After an error the message can only be dropped.
    fn append(
        &self,
        incoming: &mut Self::Incoming,
        chunk: Bytes,
    ) -> impl Future<Output = Result<(), SpoolError>> + Send;

    /// Makes the message durable: `Ok` means that it survives the plug. It is due at once, unless it is `held`.
    ///
    /// With a `lease` the entry is born leased and comes back as such, so that its owner can deliver it without
    /// another look at the queue. Without one, or for a held message, `None` comes back.
    fn commit(
        &self,
        submission: Submission,
        incoming: Self::Incoming,
        lease: Option<Lease>,
    ) -> impl Future<Output = Result<Option<Leased>, SpoolError>> + Send;

    /// Whether a message of so many octets is likely to fit: [`SpoolError::Full`] if not.
    fn room_for(&self, octets: u64) -> impl Future<Output = Result<(), SpoolError>> + Send;

    /// Takes up to `at_most` entries that are due at `now` and that nobody holds, those waiting longest first. Entries whose
    /// envelope is damaged are quarantined on the way.
    fn lease_due(
        &self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        at_most: usize,
    ) -> impl Future<Output = Result<Vec<Leased>, SpoolError>> + Send;

    /// When the next entry is due, or its lease ends; `None` if nothing waits.
    fn next_due(&self) -> impl Future<Output = Result<Option<Timestamp>, SpoolError>> + Send;

    /// Gives back everything that this owner has leased: at the start of a node, and when it stops.
    fn release_leases(&self, owner: &str) -> impl Future<Output = Result<(), SpoolError>> + Send;

    /// Opens the message for reading.
    fn body(&self, leased: &Leased) -> impl Future<Output = Result<Self::Body, SpoolError>> + Send;

    /// Records what became of recipients (by number) at `now`, and ends the lease; without outcomes the entry is just given
    /// back, due at once. `Ok` means on stable storage. An entry leaves the queue when all its recipients are delivered; one
    /// with a recipient that failed stays listed.
    fn record(
        &self,
        leased: &Leased,
        outcomes: Vec<(u32, Outcome)>,
        now: Timestamp,
    ) -> impl Future<Output = Result<(), SpoolError>> + Send;

    /// Holds an entry that cannot be delivered as it is stored, and tells `reason` as the last reply of its
    /// recipients. Others go on.
    fn quarantine(&self, id: QueueId, reason: &str) -> impl Future<Output = Result<(), SpoolError>> + Send;

    /// All entries, oldest first.
    fn list(&self) -> impl Future<Output = Result<Vec<Entry>, SpoolError>> + Send;

    /// One entry with its recipients.
    fn show(&self, id: QueueId) -> impl Future<Output = Result<Option<Details>, SpoolError>> + Send;

    /// Keeps an entry from being delivered until it is released; a running attempt still ends. `false`: no such entry.
    fn hold(&self, id: QueueId) -> impl Future<Output = Result<bool, SpoolError>> + Send;

    /// Ends a hold, of the entry and of each recipient: what is not delivered or failed is due at `now`. `false`: no such entry.
    fn release(&self, id: QueueId, now: Timestamp) -> impl Future<Output = Result<bool, SpoolError>> + Send;

    /// Makes every recipient that does not have the message due at `now`, failed ones too. A hold stays. `false`: no
    /// such entry.
    fn retry(&self, id: QueueId, now: Timestamp) -> impl Future<Output = Result<bool, SpoolError>> + Send;

    /// Removes an entry and its message; nobody is told. `false`: no such entry.
    fn remove(&self, id: QueueId) -> impl Future<Output = Result<bool, SpoolError>> + Send;

    /// The queue in figures.
    fn stats(&self) -> impl Future<Output = Result<Stats, SpoolError>> + Send;
}

/// Reads a stored message in pieces.
pub trait Body: Send + 'static {
    /// The next octets, or `None` after the last. [`SpoolError::Corrupt`] if what was read, up to the end, is not what was
    /// committed: then the transfer must not be completed.
    fn next_chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, SpoolError>> + Send;
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
}

/// An entry as `queue show` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// What the list shows.
    pub entry: Entry,
    /// Its recipients in the order of their numbers.
    pub recipients: Vec<RecipientDetails>,
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
