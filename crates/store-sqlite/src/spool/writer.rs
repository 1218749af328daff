//! The one writer: gathers what all tasks want written, and commits it as one transaction with one sync.
//!
//! While it syncs, the next group gathers; there is no timer, so a lone message never waits for company. Nobody in a group
//! is told anything before the COMMIT has returned.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use sqlx::{ConnectOptions, Connection, SqliteConnection};
use store::{SpoolCounters, SpoolError};
use tokio::sync::mpsc;
use types::QueueId;

use super::group;
use super::job::{Job, WriterHandle};
use super::recent::{self, Recent};
use super::reserve::Reserve;
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
    counters: Arc<SpoolCounters>,
    /// What was accepted lately, and may be handed in again.
    recent: Recent,
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
        let (counters, recent) = (Arc::default(), Recent::default());
        Ok(Writer { directory, connection: Some(connection), reserve, watch, marker, mode, counters, recent })
    }

    /// What is counted of the commits.
    pub(super) fn counters(&self) -> &Arc<SpoolCounters> {
        &self.counters
    }

    /// Starts the task, which confirms what comes in only while `watch` finds the files in place.
    pub(super) fn start(self, watch: Arc<FileWatch>) -> WriterHandle {
        let (handle, jobs) = WriterHandle::new();
        tokio::spawn(Writer { watch, ..self }.run(jobs));
        handle
    }

    async fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let (mut group, mut closing) = (Vec::with_capacity(GROUP), Vec::new());
        while !group.is_empty() || jobs.recv_many(&mut group, GROUP).await > 0 {
            let copies = self.write(&mut group).await;
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
            group = copies;
        }
        match self.mode {
            Mode::Server => self.shrink_wal().await,
            Mode::Command => self.settle_mark(),
        }
        self.disconnect().await;
        // Whoever closes the store waits for the connection, too: the last one removes the WAL.
        closing.into_iter().for_each(|job: Job| job.answer(Ok(())));
    }

    /// Commits the group; those that could not be are answered and taken out of it. What is in it twice comes back, to be written when
    /// it is known whether the first is kept.
    async fn write(&mut self, group: &mut Vec<Job>) -> Vec<Job> {
        self.refuse_if_gone(group, FileWatch::seen);
        let copies = self.answer_duplicates(group).await;
        self.write_new(group).await;
        copies
    }

    async fn write_new(&mut self, group: &mut Vec<Job>) {
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
        self.catch_up().await;
        for job in std::mem::take(group) {
            self.write_one(job, group).await;
        }
    }

    /// Writes one, and puts it to those that are written. If another writer has overtaken this one, what it has written counts.
    async fn write_one(&mut self, job: Job, written: &mut Vec<Job>) {
        let mut one = vec![job];
        loop {
            // None is twice in a group of one.
            drop(self.answer_duplicates(&mut one).await);
            match self.transaction(&mut one).await {
                Ok(()) => return written.append(&mut one),
                Err(error) if failure::is_constraint(&error) && self.catch_up().await => {}
                Err(error) => return fail(one, self.diagnose(error).await),
            }
        }
    }

    /// Answers what was handed in before, and takes it out of the group; what is in the group twice comes back.
    async fn answer_duplicates(&mut self, group: &mut Vec<Job>) -> Vec<Job> {
        if !group.iter().any(|job| job.duplicate_key().is_some()) {
            return Vec::new();
        }
        if let Err(error) = self.read_recent().await {
            let failure = self.diagnose(error).await;
            fail(take_submissions(group), failure);
            return Vec::new();
        }
        let mut first = HashSet::with_capacity(group.len());
        let is_copy = |job: &mut Job| job.duplicate_key().is_some_and(|key| !first.insert(key.digest));
        let copies = group.extract_if(.., is_copy).collect();
        let is_known = |job: &mut Job| job.duplicate_key().is_some_and(|key| self.recent.find(key).is_some());
        let known: Vec<Job> = group.extract_if(.., is_known).collect();
        for job in known {
            match self.first_of(&job).await {
                Ok(Some(first)) => job.answer(Err(SpoolError::Duplicate(first))),
                Ok(None) => group.push(job),
                Err(error) => fail(vec![job], self.diagnose(error).await),
            }
        }
        copies
    }

    /// The message that was handed in first, unless it was taken back or has failed: then this one is new.
    async fn first_of(&mut self, job: &Job) -> Result<Option<QueueId>, sqlx::Error> {
        let Some(key) = job.duplicate_key() else { return Ok(None) };
        let Some(known) = self.recent.find(key) else { return Ok(None) };
        if recent::is_first(self.connection().await?, known).await? {
            return Ok(Some(known.entry));
        }
        self.recent.forget(&key.digest);
        Ok(None)
    }

    async fn read_recent(&mut self) -> Result<(), sqlx::Error> {
        self.recent.read_once(connected(&mut self.connection, &self.directory).await?).await
    }

    /// Reads which messages another writer has accepted meanwhile; whether there are any.
    async fn catch_up(&mut self) -> bool {
        match connected(&mut self.connection, &self.directory).await {
            Ok(connection) => self.recent.read_new(connection).await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// What an error means. The connection that saw it is not used again, unless the error is in what was asked.
    async fn diagnose(&mut self, error: sqlx::Error) -> SpoolError {
        if !failure::is_constraint(&error) {
            self.counters.errors.count();
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
        connected(&mut self.connection, &self.directory).await
    }

    /// All or nothing.
    async fn transaction(&mut self, group: &mut [Job]) -> Result<(), sqlx::Error> {
        if group.is_empty() {
            return Ok(());
        }
        let accepted = group.iter().filter_map(Job::submission);
        let accepted = accepted.filter_map(|submit| Some((submit.duplicate_key()?, submit.submission.id)));
        let recent = self.recent.rows_of(accepted);
        let begun = Instant::now();
        let connection = self.connection().await?;
        let written = group::write(connection, group, &recent).await;
        if written.is_err() {
            // SQLite may have rolled back by itself, and then has nothing to roll back.
            drop(sqlx::query("ROLLBACK").execute(connection).await);
            return written;
        }
        self.recent.note(&recent);
        self.counters.committed(group.len(), begun.elapsed());
        Ok(())
    }

    async fn disconnect(&mut self) {
        if let Some(connection) = self.connection.take() {
            drop(connection.close().await);
        }
    }
}

/// The connection, made if there is none.
async fn connected<'c>(
    connection: &'c mut Option<SqliteConnection>,
    directory: &Directory,
) -> Result<&'c mut SqliteConnection, sqlx::Error> {
    Ok(match connection {
        Some(connection) => connection,
        none => none.insert(connect::queue(directory).connect().await?),
    })
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
