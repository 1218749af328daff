//! The spool: accepted mail, from the 250 to its delivery.

use std::future::Future;

use bytes::Bytes;
use jiff::Timestamp;
use types::QueueId;

use crate::{
    Act, Details, Entry, Lease, Leased, Operated, Operation, Outcome, Page, QueueFilter, SpoolError, Stats,
    Submission,
};

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

    /// Makes the message durable: `Ok` means that it survives the plug. It is due at
    /// [`first_due_at`](Submission::first_due_at), unless it is `held`.
    ///
    /// With a `lease` the entry is leased from the start and comes back as such, so that its owner can deliver it without
    /// another look at the queue. Without one, or for a message that is held or due later than it was accepted, `None` comes back.
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

    /// Makes due at `now` what is due after `latest`, which is later than any retry is set: the clock was ahead, and nobody
    /// waits until it is there again. Leases that end so late end now. A message whose
    /// [`not_before`](Submission::not_before) lies ahead waits on. Whether there was any.
    fn bring_forward(
        &self,
        latest: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, SpoolError>> + Send;

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

    /// A page of the entries that the filter lets through, oldest first.
    fn list(
        &self,
        filter: &QueueFilter,
        page: Page<QueueId>,
    ) -> impl Future<Output = Result<Vec<Entry>, SpoolError>> + Send;

    /// The ids alone of a page of [`list`](Spool::list).
    fn ids(
        &self,
        filter: &QueueFilter,
        page: Page<QueueId>,
    ) -> impl Future<Output = Result<Vec<QueueId>, SpoolError>> + Send;

    /// One entry with its recipients.
    fn show(&self, id: QueueId) -> impl Future<Output = Result<Option<Details>, SpoolError>> + Send;

    /// Does what an operator wants to entries, all or nothing, and notes it for [`take_operations`](Spool::take_operations).
    /// Says what was done: nothing to an entry that is not there.
    fn operate(
        &self,
        operation: Operation,
        ids: Vec<QueueId>,
        act: &Act,
    ) -> impl Future<Output = Result<Vec<Operated>, SpoolError>> + Send;

    /// What operators have done since this was last asked, for the log: the oldest first, and at most so many.
    fn take_operations(&self, at_most: u32)
    -> impl Future<Output = Result<Vec<Operated>, SpoolError>> + Send;

    /// The queue in figures.
    fn stats(&self) -> impl Future<Output = Result<Stats, SpoolError>> + Send;
}

/// Reads a stored message in pieces.
pub trait Body: Send + 'static {
    /// The next octets, or `None` after the last. [`SpoolError::Corrupt`] if what was read, up to the end, is not what was
    /// committed: then the transfer must not be completed.
    fn next_chunk(&mut self) -> impl Future<Output = Result<Option<Bytes>, SpoolError>> + Send;
}
