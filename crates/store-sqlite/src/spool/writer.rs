//! The one writer: gathers what all tasks want written, and commits it as one transaction with one sync.
//!
//! While it syncs, the next group gathers; there is no timer, so a lone message never waits for company. Nobody in a group
//! is told anything before the COMMIT has returned.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::{
    Act, Destination, Lease, Leased, NewDelivery, Operated, Operation, Outcome, Recorded, SpoolError,
    Submission,
};
use tokio::sync::{mpsc, oneshot};
use types::{NodeId, QueueId};

use super::change::Change;
use super::incoming::{Place, Stored};
use super::lease::LeaseDue;
use super::operate::Operate;
use super::outcome::{Record, Written};
use super::reroute::Reroute;
use super::reserve::Reserve;
use super::submit::Submit;
use super::{change, lease, operate, outcome, reroute, submit};
use crate::commit_mark::Marker;
use crate::directory::{Directory, Mode};
use crate::schema::{self, SchemaError};
use crate::watch::{FileGone, FileWatch};
use crate::{connect, failure};

/// How many may wait for the next group. With 64 KiB each at most, this bounds the memory too.
const WAITING: usize = 1024;

/// How many are written together, at most.
const GROUP: usize = 256;

/// What somebody wants written, and where to tell the outcome.
#[derive(Debug)]
pub(super) enum Job {
    /// Whether the owner of its leases has them.
    Submit(Submit, Reply<bool>),
    Record(Record, Reply<Written>),
    Reroute(Reroute, Reply<Recorded>),
    Lease(LeaseDue, Reply<Vec<Leased>>),
    Change(Change, Reply<()>),
    /// Whether the node was on the list.
    Bury(NodeId, Reply<bool>),
    Operate(Operate, Reply<Vec<Operated>>),
    /// What operators have done, so many at most.
    TakeOperations(u32, Reply<Vec<Operated>>),
    Close(Reply<()>),
}

/// An answer that waits for the COMMIT.
#[derive(Debug)]
pub(super) struct Reply<T> {
    value: Option<T>,
    to: oneshot::Sender<Result<T, SpoolError>>,
}

impl<T> Reply<T> {
    /// Notes what to answer if the group is committed.
    pub(super) fn set(&mut self, value: T) {
        self.value = Some(value);
    }

    fn send(self, result: Result<(), SpoolError>) {
        let answer = result.and_then(|()| self.value.ok_or_else(stopped));
        // Whoever asked may be gone.
        drop(self.to.send(answer));
    }
}

impl Job {
    fn is_submission(&self) -> bool {
        matches!(self, Job::Submit(..))
    }

    /// What it brings in, if it does.
    pub(super) fn submission(&self) -> Option<&Submit> {
        match self {
            Job::Submit(submit, _) => Some(submit),
            Job::Record(..)
            | Job::Reroute(..)
            | Job::Lease(..)
            | Job::Change(..)
            | Job::Bury(..)
            | Job::Operate(..)
            | Job::TakeOperations(..)
            | Job::Close(_) => None,
        }
    }

    fn answer(self, result: Result<(), SpoolError>) {
        match self {
            Job::Change(_, reply) | Job::Close(reply) => reply.send(result),
            Job::Submit(_, reply) | Job::Bury(_, reply) => reply.send(result),
            Job::Reroute(_, reply) => reply.send(result),
            Job::Record(_, reply) => reply.send(result),
            Job::Operate(_, reply) | Job::TakeOperations(_, reply) => reply.send(result),
            Job::Lease(_, reply) => reply.send(result),
        }
    }
}

/// The way to the writer.
#[derive(Debug, Clone)]
pub(super) struct WriterHandle {
    jobs: mpsc::Sender<Job>,
}

impl WriterHandle {
    pub(super) async fn submit(
        &self,
        submission: Submission,
        stored: Stored,
        deliveries: Vec<NewDelivery>,
    ) -> Result<Vec<Leased>, SpoolError> {
        let Stored { size, crc, place } = stored;
        let (content, mut file) = match place {
            Place::Row(content) => (Some(content), None),
            Place::File(file) => (None, Some(file)),
        };
        // From here on nobody knows whether the row will be there: the caller may go away, or a sync fail. A file without a
        // row is swept at the next start; a row without its file would be a loss.
        file.iter_mut().for_each(|file| file.keep(true));
        let new = New { size, content, deliveries: leasable(&submission, deliveries).into() };
        let submission = Arc::new(submission);
        let row =
            Submit::new(Arc::clone(&submission), size, crc, new.content.clone(), Arc::clone(&new.deliveries));
        let committed = self.ask(|reply| Job::Submit(row, reply)).await;
        if matches!(committed, Err(SpoolError::Full)) {
            file.iter_mut().for_each(|file| file.keep(false));
        }
        Ok(if committed? { new.leased(&submission) } else { Vec::new() })
    }

    pub(super) async fn record(
        &self,
        leased: &Leased,
        outcomes: Vec<(u32, Outcome)>,
        now: Timestamp,
    ) -> Result<Written, SpoolError> {
        let record = Record::new(leased, outcomes, now);
        self.ask(|reply| Job::Record(record, reply)).await
    }

    pub(super) async fn reroute(
        &self,
        leased: &Leased,
        destinations: Vec<(u32, Destination)>,
    ) -> Result<Recorded, SpoolError> {
        let reroute = Reroute::new(leased, destinations);
        self.ask(|reply| Job::Reroute(reroute, reply)).await
    }

    pub(super) async fn lease(
        &self,
        owner: NodeId,
        now: Timestamp,
        room: Vec<(Destination, u32)>,
    ) -> Result<Vec<Leased>, SpoolError> {
        self.ask(|reply| Job::Lease(LeaseDue::new(owner, now, room), reply)).await
    }

    pub(super) async fn bury(&self, id: NodeId) -> Result<bool, SpoolError> {
        self.ask(|reply| Job::Bury(id, reply)).await
    }

    pub(super) async fn change(&self, change: Change) -> Result<(), SpoolError> {
        self.ask(|reply| Job::Change(change, reply)).await
    }

    pub(super) async fn operate(
        &self,
        operation: Operation,
        ids: Vec<QueueId>,
        act: Act,
    ) -> Result<Vec<Operated>, SpoolError> {
        self.ask(|reply| Job::Operate(Operate { operation, ids, act }, reply)).await
    }

    pub(super) async fn take_operations(&self, at_most: u32) -> Result<Vec<Operated>, SpoolError> {
        self.ask(|reply| Job::TakeOperations(at_most, reply)).await
    }

    /// Ends the writer after everything before it.
    pub(super) async fn close(&self) {
        // It may be closed already.
        drop(self.ask(Job::Close).await);
    }

    async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, SpoolError> {
        let (to, answer) = oneshot::channel();
        self.jobs.send(job(Reply { value: None, to })).await.map_err(|_| stopped())?;
        answer.await.unwrap_or_else(|_| Err(stopped()))
    }
}

/// A message that has no row yet.
struct New {
    size: u64,
    content: Option<Bytes>,
    deliveries: Arc<[NewDelivery]>,
}

impl New {
    /// What is leased of it from the start.
    fn leased(&self, submission: &Arc<Submission>) -> Vec<Leased> {
        let leased = |delivery: &NewDelivery| {
            Some(Leased {
                submission: Arc::clone(submission),
                destination: delivery.destination.clone(),
                recipients: lease::new_recipients(submission, &delivery.recipients),
                size: self.size,
                lease: Lease { owner: delivery.owner?, token: 1 },
                content: self.content.clone(),
            })
        };
        self.deliveries.iter().filter_map(leased).collect()
    }
}

/// What is held, or not due yet, is leased to nobody.
fn leasable(submission: &Submission, mut deliveries: Vec<NewDelivery>) -> Vec<NewDelivery> {
    if submission.held || submission.first_due_at() > submission.accepted_at {
        deliveries.iter_mut().for_each(|delivery| delivery.owner = None);
    }
    deliveries
}

fn stopped() -> SpoolError {
    SpoolError::Failing("the writer of the queue has stopped".into())
}

/// The task that writes.
pub(super) struct Writer {
    directory: Arc<Directory>,
    /// `None` after an error: a connection that saw one is not used again.
    connection: Option<SqliteConnection>,
    reserve: Reserve,
    watch: Arc<FileWatch>,
    marker: Option<Arc<Marker>>,
    mode: Mode,
}

impl Writer {
    /// Opens the database.
    pub(super) async fn open(directory: Arc<Directory>, mode: Mode) -> Result<Self, SchemaError> {
        let mut connection = connect::queue(&directory).connect().await?;
        schema::QUEUE.require(&mut connection).await?;
        let marker = Marker::open(&directory.queue());
        let mut reserve = Reserve::new(directory.root());
        if mode == Mode::Server {
            reserve.take().await;
        }
        let watch = Arc::new(FileWatch::nothing());
        Ok(Writer { directory, connection: Some(connection), reserve, watch, marker, mode })
    }

    /// Starts the task, which confirms what comes in only while `watch` finds the files in place.
    pub(super) fn start(self, watch: Arc<FileWatch>) -> WriterHandle {
        let (sender, jobs) = mpsc::channel(WAITING);
        tokio::spawn(Writer { watch, ..self }.run(jobs));
        WriterHandle { jobs: sender }
    }

    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let (mut group, mut closing) = (Vec::with_capacity(GROUP), Vec::new());
        while jobs.recv_many(&mut group, GROUP).await > 0 {
            self.write(&mut group).await;
            self.refuse_if_gone(&mut group, FileWatch::confirm);
            if group.iter().any(|job| matches!(job, Job::Close(_))) {
                jobs.close();
            }
            closing.extend(group.extract_if(.., |job| matches!(job, Job::Close(_))));
            for job in group.drain(..) {
                job.answer(Ok(()));
            }
            // Behind the answers, as nobody needs to wait for it.
            if let Some(marker) = &self.marker {
                marker.note();
            }
        }
        match self.mode {
            Mode::Server => self.shrink_wal().await,
            Mode::Command => self.settle_mark(),
        }
        self.disconnect().await;
        // Whoever closes the store waits for the connection, too: the last one removes the WAL.
        closing.into_iter().for_each(|job: Job| job.answer(Ok(())));
    }

    /// Commits the group; those that could not be are answered and taken out of it.
    async fn write(&mut self, group: &mut Vec<Job>) {
        self.refuse_if_gone(group, FileWatch::seen);
        if self.reserve.is_released() {
            self.reserve.take().await;
        }
        if self.reserve.is_released() {
            fail(take_submissions(group), SpoolError::Full);
        }
        match self.transaction(group).await {
            Ok(()) => {}
            Err(error) if failure::is_constraint(&error) => self.write_one_by_one(group).await,
            Err(error) => match self.diagnose(error).await {
                SpoolError::Full => self.write_what_drains(group).await,
                failure => fail(std::mem::take(group), failure),
            },
        }
    }

    /// What would be written to files that nobody finds again, or was, is not confirmed. Deliveries go on.
    fn refuse_if_gone(&self, group: &mut Vec<Job>, ask: fn(&FileWatch) -> Result<(), FileGone>) {
        if group.iter().any(Job::is_submission)
            && let Err(gone) = ask(&self.watch)
        {
            fail(take_submissions(group), failure::of_watch(gone));
        }
    }

    /// The disk is full. What takes mail out of the queue goes on, in the space that was kept for it.
    async fn write_what_drains(&mut self, group: &mut Vec<Job>) {
        self.reserve.release().await;
        let submissions = take_submissions(group);
        for job in group.iter_mut() {
            if let Job::Lease(wanted, _) = job {
                wanted.only_one();
            }
        }
        self.shrink_wal().await;
        if let Err(error) = self.transaction(group).await {
            let failure = self.diagnose(error).await;
            fail(std::mem::take(group), failure);
        }
        // Before anybody hears of it and somebody else takes the space.
        self.reserve.take().await;
        fail(submissions, SpoolError::Full);
    }

    /// One of the group broke a rule of the schema, such as an id that is there already: the others must not suffer.
    async fn write_one_by_one(&mut self, group: &mut Vec<Job>) {
        for mut job in std::mem::take(group) {
            match self.transaction(std::slice::from_mut(&mut job)).await {
                Ok(()) => group.push(job),
                Err(error) => fail(vec![job], self.diagnose(error).await),
            }
        }
    }

    /// What an error means. The connection that saw it is not used again, unless the error is in what was asked.
    async fn diagnose(&mut self, error: sqlx::Error) -> SpoolError {
        if !failure::is_constraint(&error) {
            self.disconnect().await;
        }
        failure::of_queue(&self.directory, error).await
    }

    /// Moves the WAL into the database and gives its space back, as far as that is possible.
    async fn shrink_wal(&mut self) {
        self.settle_mark();
        if let Ok(connection) = self.connection().await {
            connect::checkpoint(connection).await;
        }
    }

    fn settle_mark(&self) {
        if let Some(marker) = &self.marker {
            marker.settle();
        }
    }

    async fn connection(&mut self) -> Result<&mut SqliteConnection, sqlx::Error> {
        Ok(match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(connect::queue(&self.directory).connect().await?),
        })
    }

    /// All or nothing.
    async fn transaction(&mut self, group: &mut [Job]) -> Result<(), sqlx::Error> {
        if group.is_empty() {
            return Ok(());
        }
        let connection = self.connection().await?;
        let written = write(connection, group).await;
        if written.is_err() {
            // SQLite may have rolled back by itself, and then has nothing to roll back.
            drop(sqlx::query("ROLLBACK").execute(connection).await);
        }
        written
    }

    async fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.close().await);
        }
    }
}

fn take_submissions(group: &mut Vec<Job>) -> Vec<Job> {
    group.extract_if(.., |job| job.is_submission()).collect()
}

fn fail(group: Vec<Job>, failure: SpoolError) {
    if group.is_empty() {
        return;
    }
    tracing::error!(
        event = "spool.failing",
        error = &failure as &dyn std::error::Error,
        waiting = group.len(),
        "the queue cannot be written"
    );
    let failure = failure::share(failure);
    group.into_iter().for_each(|job| job.answer(Err(failure())));
}

/// What comes in goes first, with everything that is delivered, as one script: most groups have nothing else.
async fn write(connection: &mut SqliteConnection, group: &mut [Job]) -> Result<(), sqlx::Error> {
    let mut script = submit::Script::begin(group);
    outcome::forget_delivered(&mut script, group);
    if !has_more(group) {
        return script.commit(connection, group).await;
    }
    script.run(connection, group).await?;
    for job in group {
        match job {
            Job::Record(record, reply) if !record.is_complete() => {
                reply.set(outcome::write(connection, record).await?);
            }
            Job::Reroute(wanted, reply) => reply.set(reroute::write(connection, wanted).await?),
            Job::Lease(wanted, reply) => reply.set(lease::write(connection, wanted).await?),
            Job::Bury(id, reply) => reply.set(change::bury(connection, *id).await?),
            Job::Change(change, reply) => reply.set(change::write(connection, change).await?),
            Job::Operate(wanted, reply) => reply.set(operate::write(connection, wanted).await?),
            Job::TakeOperations(at_most, reply) => reply.set(operate::take(connection, *at_most).await?),
            Job::Submit(..) | Job::Record(..) | Job::Close(_) => {}
        }
    }
    sqlx::query("COMMIT").execute(connection).await.map(drop)
}

fn has_more(group: &[Job]) -> bool {
    group.iter().any(|job| match job {
        Job::Submit(..) | Job::Close(_) => false,
        Job::Record(record, _) => !record.is_complete(),
        Job::Reroute(..)
        | Job::Lease(..)
        | Job::Change(..)
        | Job::Bury(..)
        | Job::Operate(..)
        | Job::TakeOperations(..) => true,
    })
}
