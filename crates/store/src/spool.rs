//! The spool: accepted mail, from the 250 to its delivery.

use std::future::Future;

use bytes::Bytes;
use jiff::Timestamp;
use types::{NodeId, QueueId};

use crate::{
    Act, Destination, Details, Entry, HeldLease, Leased, NewDelivery, Nodes, Operated, Operation, Outcome,
    Page, QueueFilter, Recorded, Reportable, SpoolError, Stats, Submission, Telling, Waiting,
};

/// The spool.
///
/// A message comes in by [`open`](Spool::open), [`append`](Spool::append) and [`commit`](Spool::commit); until
/// `commit` returns `Ok` nothing of it is visible, and afterwards all of it is on stable storage. An `Incoming` that is
/// dropped instead leaves nothing behind, save a file that the next start sweeps away if the process dies.
///
/// It goes out in deliveries, one for each destination of its recipients, by [`waiting`](Spool::waiting),
/// [`lease_due`](Spool::lease_due), [`body`](Spool::body) and [`record`](Spool::record). A delivery is leased by one node
/// ([`Nodes`]) at a time, so several may deliver from one spool. What it has confirmed of messages, outcomes and operations it tells the
/// [`Ledger`](crate::Ledger) of the store. What becomes of one delivery is nothing to the others of its message.
pub trait Spool: Nodes + Send + Sync + 'static {
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

    /// Makes the message durable: `Ok` means that it survives the plug. Each of its deliveries is due at
    /// [`first_due_at`](Submission::first_due_at), unless the message is `held`.
    ///
    /// Deliveries that have an owner are leased from the start and come back as such, so that they can be made without another look
    /// at the queue. None comes back of a message that is held or due later than it was accepted, nor of an owner that is not among the
    /// nodes: those wait in the queue.
    ///
    /// # Errors
    /// [`SpoolError::Duplicate`] if a message with the same [key](Submission::duplicate_key) is on stable storage already, or was, whoever has
    /// put it there; unless it was taken back, stopped, returned, or has failed for everybody. Of two that are committed at once one is kept.
    fn commit(
        &self,
        submission: Submission,
        incoming: Self::Incoming,
        deliveries: Vec<NewDelivery>,
    ) -> impl Future<Output = Result<Vec<Leased>, SpoolError>> + Send;

    /// Whether a message of so many octets is likely to fit: [`SpoolError::Full`] if not.
    fn room_for(&self, octets: u64) -> impl Future<Output = Result<(), SpoolError>> + Send;

    /// When the first of all deliveries that nobody has leased is due.
    fn next_due(&self) -> impl Future<Output = Result<Option<Timestamp>, SpoolError>> + Send;

    /// A page of the destinations of deliveries that nobody has leased and that will be due, and when the first of each is. It costs as much
    /// as the page is long, however many destinations there are, and however much waits for each.
    fn waiting(
        &self,
        page: Page<Destination>,
    ) -> impl Future<Output = Result<Vec<Waiting>, SpoolError>> + Send;

    /// Leases to `owner` deliveries that are due at `now` and that nobody has leased: to each of these destinations up to so many,
    /// those waiting longest first, and none to others. A node that is not on the list gets none. Entries whose envelope is damaged are
    /// quarantined on the way.
    fn lease_due(
        &self,
        owner: NodeId,
        now: Timestamp,
        room: Vec<(Destination, u32)>,
    ) -> impl Future<Output = Result<Vec<Leased>, SpoolError>> + Send;

    /// All leases of a node, for it to see whether it has forgotten some.
    fn held_by(&self, owner: NodeId) -> impl Future<Output = Result<Vec<HeldLease>, SpoolError>> + Send;

    /// Ends these leases of a node. One that is another by now, as its token tells, stays.
    fn give_back(
        &self,
        owner: NodeId,
        leases: Vec<HeldLease>,
    ) -> impl Future<Output = Result<(), SpoolError>> + Send;

    /// Gives recipients (by number) of a leased delivery other destinations, and ends its lease: their routes are others by now.
    /// Recipients of one message that have the same destination then are one delivery. [`Recorded::TakenOver`] if the lease was no
    /// longer the caller's, and nothing was done.
    fn reroute(
        &self,
        leased: &Leased,
        destinations: Vec<(u32, Destination)>,
    ) -> impl Future<Output = Result<Recorded, SpoolError>> + Send;

    /// Makes due at `now` what is due after `latest`, which is later than any retry is set: the clock was ahead, and nobody
    /// waits until it is there again. A message whose [`not_before`](Submission::not_before) lies ahead waits on,
    /// unless it was accepted after `latest` itself: then that time is of the same clock. Whether there was any.
    fn bring_forward(
        &self,
        latest: Timestamp,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, SpoolError>> + Send;

    /// Opens the message for reading.
    fn body(&self, leased: &Leased) -> impl Future<Output = Result<Self::Body, SpoolError>> + Send;

    /// Records what became of recipients (by number) at `now`, and ends the lease; without outcomes the delivery is just given
    /// back. `Ok` means on stable storage. If the lease is no longer the caller's, because its node was taken off the list or it was
    /// given back, "delivered" is recorded and nothing else ([`Recorded::TakenOver`]). A recipient that has the message stays
    /// `delivered` whatever comes later.
    ///
    /// What the sender is to be told is committed in the same transaction: what failed and that its sender is told of it are one fact. A
    /// [report](Telling::report) is committed too if all of the outcomes are and it is true of everybody: nothing else became of them
    /// meanwhile, and nobody else has told of it. So is that its sender knows who is [late](crate::NewReport::late). Otherwise, or if there is none, the news
    /// makes the delivery to the [sender](Destination::sender), of which whoever leases it records a report without outcomes.
    ///
    /// An entry leaves the queue when all its recipients are delivered. It is settled, and leaves the lists and the figures, when
    /// each is delivered, or failed and [told](Outcome::Failed::told): its message is gone then, and [`show`](Spool::show) still knows
    /// what became of it, until it is [forgotten](Spool::forget_settled). Any other stays listed.
    fn record(
        &self,
        leased: &Leased,
        outcomes: Vec<(u32, Outcome)>,
        telling: Option<Telling>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Recorded, SpoolError>> + Send;

    /// Records recipients (by number) of a leased delivery that have the message already, and leaves the lease as it is: others of the
    /// delivery are still to be tried before its outcomes are recorded. Whether they are: `false` if the lease is no longer the caller's, or
    /// an operator holds the message. A delivery whose recipients all have the message by this is not leased again once its lease ends.
    fn record_delivered(
        &self,
        leased: &Leased,
        delivered: Vec<(u32, Outcome)>,
        telling: Option<Telling>,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, SpoolError>> + Send;

    /// What the sender of a message can be told of its recipients, in the order of their numbers.
    fn reportable(&self, id: QueueId) -> impl Future<Output = Result<Vec<Reportable>, SpoolError>> + Send;

    /// Forgets up to a few hundred of the entries that were settled before `before`, and of those that were accepted before then from `<>`, are
    /// delivered or failed for each recipient, and are not held: nobody can be told of them. Whether there may be more.
    fn forget_settled(&self, before: Timestamp) -> impl Future<Output = Result<bool, SpoolError>> + Send;

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

    /// Those of these entries that there are, be they settled or not, each with its recipients; in the order of the ids. A few hundred at a time.
    fn details(&self, ids: &[QueueId]) -> impl Future<Output = Result<Vec<Details>, SpoolError>> + Send;

    /// One entry with its recipients, be it settled or not.
    fn show(&self, id: QueueId) -> impl Future<Output = Result<Option<Details>, SpoolError>> + Send {
        async move { Ok(self.details(&[id]).await?.pop()) }
    }

    /// Does what an operator wants to entries, all or nothing, and notes it for [`take_operations`](Spool::take_operations).
    /// Says what was done: nothing to an entry that is not there, nor to one that can't be [taken back](Operation::Undo) any more.
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
