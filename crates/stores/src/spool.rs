//! The queue, in whichever backend.

use bytes::Bytes;
use jiff::Timestamp;
use store::{
    Act, Destination, Details, Entry, HeldLease, Leased, MasterKeyId, NewDelivery, Node, Nodes, Operated,
    Operation, Outcome, Page, QueueFilter, Recorded, Reportable, SpoolCounters, SpoolError, Standing, Stats,
    Submission, Telling, Waiting,
};
use store_sqlite::{FileBody, SqliteSpool};
use types::{NodeId, QueueId};

/// The queue: messages, and what becomes of them. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub enum Spool {
    /// In `queue.db`, and files beside it.
    Sqlite(SqliteSpool),
}

/// A message being received. Dropped before its commit, it leaves nothing behind.
#[derive(Debug)]
pub enum Incoming {
    /// In memory, then in a file.
    Sqlite(store_sqlite::Incoming),
}

/// A reader of a stored message.
#[derive(Debug)]
pub enum Body {
    /// From memory or from a file.
    Sqlite(FileBody),
}

impl Spool {
    /// What was counted since the store was opened.
    #[must_use]
    pub fn counters(&self) -> &SpoolCounters {
        match self {
            Self::Sqlite(spool) => spool.counters(),
        }
    }
}

impl store::Spool for Spool {
    type Incoming = Incoming;
    type Body = Body;

    fn open(&self, id: QueueId) -> Incoming {
        match self {
            Spool::Sqlite(spool) => Incoming::Sqlite(spool.open(id)),
        }
    }

    async fn append(&self, incoming: &mut Incoming, chunk: Bytes) -> Result<(), SpoolError> {
        match (self, incoming) {
            (Spool::Sqlite(spool), Incoming::Sqlite(incoming)) => spool.append(incoming, chunk).await,
        }
    }

    async fn commit(
        &self,
        submission: Submission,
        incoming: Incoming,
        deliveries: Vec<NewDelivery>,
    ) -> Result<Vec<Leased>, SpoolError> {
        match (self, incoming) {
            (Spool::Sqlite(spool), Incoming::Sqlite(incoming)) => {
                spool.commit(submission, incoming, deliveries).await
            }
        }
    }

    async fn body(&self, leased: &Leased) -> Result<Body, SpoolError> {
        match self {
            Spool::Sqlite(spool) => spool.body(leased).await.map(Body::Sqlite),
        }
    }

    ask_backend! {
        async fn room_for(&self, octets: u64) -> Result<(), SpoolError>;
        async fn next_due(&self) -> Result<Option<Timestamp>, SpoolError>;
        async fn waiting(&self, page: Page<Destination>) -> Result<Vec<Waiting>, SpoolError>;
        async fn lease_due(&self, owner: NodeId, now: Timestamp, room: Vec<(Destination, u32)>) -> Result<Vec<Leased>, SpoolError>;
        async fn held_by(&self, owner: NodeId) -> Result<Vec<HeldLease>, SpoolError>;
        async fn give_back(&self, owner: NodeId, leases: Vec<HeldLease>) -> Result<(), SpoolError>;
        async fn reroute(&self, leased: &Leased, destinations: Vec<(u32, Destination)>) -> Result<Recorded, SpoolError>;
        async fn bring_forward(&self, latest: Timestamp, now: Timestamp) -> Result<bool, SpoolError>;
        async fn record(&self, leased: &Leased, outcomes: Vec<(u32, Outcome)>, telling: Option<Telling>, now: Timestamp) -> Result<Recorded, SpoolError>;
        async fn record_delivered(&self, leased: &Leased, delivered: Vec<(u32, Outcome)>, telling: Option<Telling>, now: Timestamp) -> Result<bool, SpoolError>;
        async fn reportable(&self, id: QueueId) -> Result<Vec<Reportable>, SpoolError>;
        async fn forget_settled(&self, before: Timestamp) -> Result<bool, SpoolError>;
        async fn quarantine(&self, id: QueueId, reason: &str) -> Result<(), SpoolError>;
        async fn list(&self, filter: &QueueFilter, page: Page<QueueId>) -> Result<Vec<Entry>, SpoolError>;
        async fn ids(&self, filter: &QueueFilter, page: Page<QueueId>) -> Result<Vec<QueueId>, SpoolError>;
        async fn details(&self, ids: &[QueueId]) -> Result<Vec<Details>, SpoolError>;
        async fn operate(&self, operation: Operation, ids: Vec<QueueId>, act: &Act) -> Result<Vec<Operated>, SpoolError>;
        async fn take_operations(&self, at_most: u32) -> Result<Vec<Operated>, SpoolError>;
        async fn stats(&self) -> Result<Stats, SpoolError>;
    }
}

impl Nodes for Spool {
    ask_backend! {
        async fn join(&self, node: &Node) -> Result<(), SpoolError>;
        async fn beat(&self, id: NodeId, newest_key: MasterKeyId) -> Result<Standing, SpoolError>;
        async fn leave(&self, id: NodeId) -> Result<(), SpoolError>;
        async fn bury(&self, id: NodeId) -> Result<bool, SpoolError>;
        async fn nodes(&self) -> Result<Vec<Node>, SpoolError>;
        async fn is_starting(&self) -> Result<bool, SpoolError>;
    }
}

impl store::Body for Body {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, SpoolError> {
        match self {
            Body::Sqlite(body) => body.next_chunk().await,
        }
    }
}
