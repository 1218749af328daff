//! The one writer: gathers what all tasks want written, and commits it as one transaction with one sync.
//!
//! While it syncs, the next group gathers; there is no timer, so a lone message never waits for company. Nobody in a group
//! is told anything before the COMMIT has returned.

use std::collections::HashSet;
use std::sync::Arc;

use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::{Recorded, SpoolError};
use tokio::sync::mpsc;
use types::NodeId;

use super::job::{Job, WriterHandle};
use super::outcome::Written;
use super::reserve::Reserve;
use super::submit::Submit;
use super::{change, lease, operate, outcome, reroute, settle, submit};
use crate::commit_mark::Marker;
use crate::directory::{Directory, Mode};
use crate::schema::{self, SchemaError};
use crate::watch::{FileGone, FileWatch};
use crate::{connect, failure};

/// How many are written together, at most.
const GROUP: usize = 256;

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
        let (handle, jobs) = WriterHandle::new();
        tokio::spawn(Writer { watch, ..self }.run(jobs));
        handle
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
            match self.diagnose(error).await {
                // Reports to senders may need more than was kept, and what needs less does not wait for them.
                SpoolError::Full => {
                    group.sort_by_key(Job::has_report);
                    self.write_one_by_one(group).await;
                }
                failure => fail(std::mem::take(group), failure),
            }
        }
        // Before anybody hears of it and somebody else takes the space.
        self.reserve.take().await;
        fail(submissions, SpoolError::Full);
    }

    /// One of the group broke a rule of the schema, such as an id that is there already, or needs more room than there is: the others must not
    /// suffer.
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
    let submits: Vec<&Submit> = group.iter().filter_map(Job::submission).collect();
    let complete: Vec<_> = group.iter().filter_map(Job::complete).collect();
    let mut script = submit::Script::begin(&submits);
    outcome::forget(&mut script, &complete);
    if !has_more(group) {
        set_answers(group, &script.commit(connection).await?);
        return Ok(());
    }
    set_answers(group, &script.run(connection).await?);
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
            Job::ForgetSettled(before, reply) => reply.set(settle::forget(connection, *before).await?),
            Job::Submit(..) | Job::Record(..) | Job::Close(_) => {}
        }
    }
    sqlx::query("COMMIT").execute(connection).await.map(drop)
}

/// Notes the answers to what the script did: whether the owner of its leases is among the nodes, and that an entry is gone.
fn set_answers(group: &mut [Job], nodes: &HashSet<NodeId>) {
    for job in group {
        if let Job::Submit(submit, reply) = job {
            reply.set(submit.owner().is_some_and(|owner| nodes.contains(&owner)));
        } else if let Job::Record(record, reply) = job
            && record.is_complete()
        {
            // That everybody has the message is true whoever has the lease by now.
            reply.set(Written { recorded: Recorded::Kept, gone: true, goes_on: false });
        }
    }
}

/// Whether the script leaves something to be done.
fn has_more(group: &[Job]) -> bool {
    let is_scripted = |job: &Job| matches!(job, Job::Submit(..) | Job::Close(_)) || job.complete().is_some();
    !group.iter().all(is_scripted)
}
