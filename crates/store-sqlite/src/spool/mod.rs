//! The queue database and the files of large messages.
//!
//! The order in which a message becomes durable, and each step what the next relies on:
//! 1. a message of more than 64 KiB: its octets are in `spool/ID`, the file is synced, the directory is synced;
//! 2. the rows of its group are in one transaction of `queue.db`;
//! 3. COMMIT syncs the WAL (`synchronous=FULL`);
//! 4. the files are seen to be those that were opened ([`crate::watch`]): nobody finds what was written to others;
//! 5. `commit` returns, and the session may say 250.
//!
//! The row is the one source of truth. A file without a row is a message that never got its 250, and is swept at the
//! next start; a row without its file is damaged, and is quarantined. A message leaves in the other order: its rows are
//! deleted and synced, then its file is removed.

mod database;
mod incoming;
mod file;
mod seal;
mod room;
mod reserve;
mod writer;
mod job;
mod group;
mod submit;
mod script;
mod recent;
mod lease;
mod outcome;
mod settle;
mod tell;
mod reroute;
mod change;
mod operate;
mod select;
mod inspect;
mod body;
mod recover;
mod verify;

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use sqlx::SqlitePool;
use store::{
    Act, Destination, Details, Entry, HeldLease, Leased, MasterKeyId, NewDelivery, Node, Nodes, Operated,
    Operation, Outcome, Page, QueueFilter, Recorded, Reportable, Spool, SpoolCounters, SpoolError, Standing,
    Stats, Submission, Telling, Waiting,
};
use types::{NodeId, QueueId};

pub use body::FileBody;
pub use incoming::Incoming;
pub(crate) use verify::Verified;

use crate::directory::{Directory, Mode};
use crate::failure;
use crate::ledger::{Note, SqliteLedger};
use crate::losses::Losses;
use crate::schema::SchemaError;
use change::Change;
use database::Database;
use incoming::IN_ROW;
use job::{Submitted, WriterHandle};
use outcome::Written;
use writer::Writer;

/// The queue. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub struct SqliteSpool {
    database: Database,
    writer: WriterHandle,
    /// Told of whatever is confirmed.
    ledger: SqliteLedger,
    counters: Arc<SpoolCounters>,
}

impl SqliteSpool {
    /// Gives up the space that an earlier server kept: to open databases takes some, and there may be no other. It is
    /// taken again once they are open; until then, and if that fails, nothing new is accepted.
    pub(crate) async fn make_room(directory: &Directory) {
        reserve::Reserve::new(directory.root()).release().await;
    }

    /// Opens the database and starts the writer.
    pub(crate) async fn open(
        directory: Directory,
        mode: Mode,
        ledger: SqliteLedger,
    ) -> Result<Self, SchemaError> {
        let directory = Arc::new(directory);
        let writer = Writer::open(Arc::clone(&directory), mode).await?;
        let database = Database::open(directory, mode).await?;
        let counters = Arc::clone(writer.counters());
        let writer = writer.start(Arc::clone(database.watch()));
        Ok(Self { database, writer, ledger, counters })
    }

    /// Ends what the last server left: nodes that are dead with their leases, and files of messages without a 250.
    pub(crate) async fn recover(&self) -> Result<(), SpoolError> {
        self.writer.change(Change::BuryAll).await?;
        recover::check(self.readers().clone());
        recover::sweep(self.directory(), self.losses(), self.readers()).await
    }

    /// Commits what changes nothing, if there is room for a message of so many octets.
    pub(crate) async fn try_to_write(&self, octets: u64) -> Result<(), SpoolError> {
        Spool::room_for(self, octets).await?;
        self.writer.change(Change::Nothing).await
    }

    /// What was counted since the store was opened.
    #[must_use]
    pub fn counters(&self) -> &SpoolCounters {
        &self.counters
    }

    /// What may be missing.
    pub(crate) fn losses(&self) -> &Losses {
        self.database.losses()
    }

    /// Reads every message.
    pub(crate) async fn verify(&self) -> Result<Verified, SpoolError> {
        verify::all(&self.database).await
    }

    /// Where the store is.
    pub(crate) fn directory(&self) -> &Directory {
        self.database.directory()
    }

    /// Connections that cannot write.
    pub(crate) fn readers(&self) -> &SqlitePool {
        self.database.readers()
    }

    pub(crate) async fn close(&self) {
        self.database.watch().end();
        self.writer.close().await;
        self.database.close().await;
    }
}

impl Nodes for SqliteSpool {
    async fn join(&self, node: &Node) -> Result<(), SpoolError> {
        self.writer.change(Change::Join(node.clone())).await
    }

    async fn beat(&self, id: NodeId, newest_key: MasterKeyId) -> Result<Standing, SpoolError> {
        // That it lives need not be written: the server that has the store locked is the only one that delivers, and it buries all others
        // when it starts.
        let told = self.database.read(async |readers| inspect::newest_key_of(readers, id).await).await?;
        match told {
            None => return Ok(Standing::Buried),
            Some(told) if told == Some(newest_key) => {}
            Some(_) => self.writer.change(Change::NewestKey(id, newest_key)).await?,
        }
        Ok(Standing::Stands)
    }

    async fn leave(&self, id: NodeId) -> Result<(), SpoolError> {
        self.writer.bury(id).await.map(drop)
    }

    async fn bury(&self, id: NodeId) -> Result<bool, SpoolError> {
        self.writer.bury(id).await
    }

    async fn nodes(&self) -> Result<Vec<Node>, SpoolError> {
        let mut nodes = self.database.read(inspect::nodes).await?;
        // A server that was killed has left its row, and has the store locked no more.
        if !nodes.is_empty() && !self.directory().is_served() {
            nodes.clear();
        }
        Ok(nodes)
    }

    async fn is_starting(&self) -> Result<bool, SpoolError> {
        let nodes = self.database.read(inspect::nodes).await?;
        Ok(nodes.is_empty() && self.directory().is_served())
    }
}

impl Spool for SqliteSpool {
    type Incoming = Incoming;
    type Body = FileBody;

    fn open(&self, id: QueueId) -> Incoming {
        Incoming::new(self.directory().message(id))
    }

    async fn append(&self, incoming: &mut Incoming, chunk: Bytes) -> Result<(), SpoolError> {
        incoming.append(chunk).await
    }

    async fn commit(
        &self,
        submission: Submission,
        incoming: Incoming,
        deliveries: Vec<NewDelivery>,
    ) -> Result<Vec<Leased>, SpoolError> {
        let stored = incoming.finish().await?;
        let Submitted { submission, size, leased } =
            self.writer.submit(submission, stored, deliveries).await?;
        let noted = self.ledger.noted(|| Note::accepted(&submission, size));
        noted.iter().for_each(|note| self.ledger.note(note));
        Ok(leased)
    }

    async fn room_for(&self, octets: u64) -> Result<(), SpoolError> {
        self.database.watch().seen().map_err(failure::of_watch)?;
        room::room_for(self.directory().root(), octets)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, SpoolError> {
        self.database.read(inspect::next_due).await
    }

    async fn waiting(&self, page: Page<Destination>) -> Result<Vec<Waiting>, SpoolError> {
        self.database.read(async |readers| inspect::waiting(readers, page).await).await
    }

    async fn lease_due(
        &self,
        owner: NodeId,
        now: Timestamp,
        room: Vec<(Destination, u32)>,
    ) -> Result<Vec<Leased>, SpoolError> {
        self.writer.lease(owner, now, room).await
    }

    async fn held_by(&self, owner: NodeId) -> Result<Vec<HeldLease>, SpoolError> {
        self.database.read(async |readers| inspect::held_by(readers, owner).await).await
    }

    async fn give_back(&self, owner: NodeId, leases: Vec<HeldLease>) -> Result<(), SpoolError> {
        self.writer.change(Change::GiveBack(owner, leases)).await
    }

    async fn reroute(
        &self,
        leased: &Leased,
        destinations: Vec<(u32, Destination)>,
    ) -> Result<Recorded, SpoolError> {
        self.writer.reroute(leased, destinations).await
    }

    async fn bring_forward(&self, latest: Timestamp, now: Timestamp) -> Result<bool, SpoolError> {
        // Almost always there is none, and to read costs no sync.
        let any =
            self.database.read(async |readers| inspect::any_due_after(readers, latest, now).await).await?;
        if any {
            self.writer.change(Change::BringForward { latest, now }).await?;
        }
        Ok(any)
    }

    async fn body(&self, leased: &Leased) -> Result<FileBody, SpoolError> {
        match &leased.content {
            Some(content) => Ok(FileBody::in_memory(content.clone())),
            None => body::open(&self.database, leased.submission.id).await,
        }
    }

    async fn record(
        &self,
        leased: &Leased,
        outcomes: Vec<(u32, Outcome)>,
        telling: Option<Telling>,
        now: Timestamp,
    ) -> Result<Recorded, SpoolError> {
        let report = telling.as_ref().and_then(|telling| telling.report.as_ref());
        let noted = self.ledger.noted(|| Note::of_record(leased, &outcomes, report, now));
        let Written { recorded, gone, goes_on: _ } =
            self.writer.record(leased, outcomes, telling, now).await?;
        let noted = noted.map(|noted| Note::recorded(noted, recorded));
        noted.iter().flatten().flatten().for_each(|note| self.ledger.note(note));
        if gone && leased.size > IN_ROW as u64 {
            file::remove(self.directory().message(leased.submission.id)).await;
        }
        Ok(recorded)
    }

    async fn record_delivered(
        &self,
        leased: &Leased,
        delivered: Vec<(u32, Outcome)>,
        telling: Option<Telling>,
        now: Timestamp,
    ) -> Result<bool, SpoolError> {
        let noted = self.ledger.noted(|| Note::outcomes(leased, &delivered, now));
        let goes_on = self.writer.record_delivered(leased, delivered, telling, now).await?;
        noted.iter().for_each(|note| self.ledger.note(note));
        Ok(goes_on)
    }

    async fn reportable(&self, id: QueueId) -> Result<Vec<Reportable>, SpoolError> {
        self.database.read(async |readers| tell::reportable(readers, id).await).await
    }

    async fn forget_settled(&self, before: Timestamp) -> Result<bool, SpoolError> {
        // To write is to sync, and nearly always there is nothing.
        if !self.database.read(async |readers| settle::any_old(readers, before).await).await? {
            return Ok(false);
        }
        let forgotten = self.writer.forget_settled(before).await?;
        for id in forgotten.in_file {
            file::remove(self.directory().message(id)).await;
        }
        Ok(forgotten.more)
    }

    async fn quarantine(&self, id: QueueId, reason: &str) -> Result<(), SpoolError> {
        self.writer.change(Change::Quarantine(id, reason.to_owned())).await
    }

    async fn list(&self, filter: &QueueFilter, page: Page<QueueId>) -> Result<Vec<Entry>, SpoolError> {
        self.database.read(async |readers| inspect::list(readers, filter, page).await).await
    }

    async fn ids(&self, filter: &QueueFilter, page: Page<QueueId>) -> Result<Vec<QueueId>, SpoolError> {
        self.database.read(async |readers| inspect::ids(readers, filter, page).await).await
    }

    async fn details(&self, ids: &[QueueId]) -> Result<Vec<Details>, SpoolError> {
        self.database.read(async |readers| inspect::details(readers, ids).await).await
    }

    async fn operate(
        &self,
        operation: Operation,
        ids: Vec<QueueId>,
        act: &Act,
    ) -> Result<Vec<Operated>, SpoolError> {
        let done = self.writer.operate(operation, ids, act.clone()).await?;
        let noted = self.ledger.noted(|| done.iter().map(Note::operated));
        noted.into_iter().flatten().for_each(|note| self.ledger.note(&note));
        if operation.removes() {
            for Operated { id, .. } in &done {
                file::remove(self.directory().message(*id)).await;
            }
        }
        Ok(done)
    }

    async fn take_operations(&self, at_most: u32) -> Result<Vec<Operated>, SpoolError> {
        // To write is to sync, and nearly always there is nothing.
        match self.database.read(inspect::has_operations).await? {
            true => self.writer.take_operations(at_most).await,
            false => Ok(Vec::new()),
        }
    }

    async fn stats(&self) -> Result<Stats, SpoolError> {
        self.database.read(inspect::stats).await
    }
}
