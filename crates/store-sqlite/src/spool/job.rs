//! What is asked of the writer, and the answers that wait for its COMMIT.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use store::{
    Act, Destination, DuplicateKey, Lease, Leased, NewDelivery, Operated, Operation, Outcome, Recorded,
    SpoolError, Submission, Telling,
};
use tokio::sync::{mpsc, oneshot};
use types::{NodeId, QueueId};

use super::change::Change;
use super::incoming::{Place, Stored};
use super::lease::{self, LeaseDue};
use super::operate::Operate;
use super::outcome::{Record, Written};
use super::reroute::Reroute;
use super::settle::Forgotten;
use super::submit::Submit;

/// How many may wait for the next group. With 64 KiB each at most, this bounds the memory too.
const WAITING: usize = 1024;

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
    /// What was settled before then, or is over and from `<>`.
    ForgetSettled(Timestamp, Reply<Forgotten>),
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
    pub(super) fn is_submission(&self) -> bool {
        matches!(self, Job::Submit(..))
    }

    /// Whether it brings in a report to a sender.
    pub(super) fn has_report(&self) -> bool {
        if let Job::Record(record, _) = self { record.has_report() } else { false }
    }

    /// The message that it brings in, if it is a submission.
    pub(super) fn submission(&self) -> Option<&Submit> {
        if let Job::Submit(submit, _) = self { Some(submit) } else { None }
    }

    /// What it is known by if it is handed in again, if it brings in what can be.
    pub(super) fn duplicate_key(&self) -> Option<&DuplicateKey> {
        self.submission().and_then(Submit::duplicate_key)
    }

    /// The message that everybody has, if it tells of that.
    pub(super) fn complete(&self) -> Option<QueueId> {
        if let Job::Record(record, _) = self { record.is_complete().then(|| record.entry()) } else { None }
    }

    pub(super) fn answer(self, result: Result<(), SpoolError>) {
        match self {
            Job::Change(_, reply) | Job::Close(reply) => reply.send(result),
            Job::Submit(_, reply) | Job::Bury(_, reply) => reply.send(result),
            Job::ForgetSettled(_, reply) => reply.send(result),
            Job::Reroute(_, reply) => reply.send(result),
            Job::Record(_, reply) => reply.send(result),
            Job::Operate(_, reply) | Job::TakeOperations(_, reply) => reply.send(result),
            Job::Lease(_, reply) => reply.send(result),
        }
    }
}

/// A message that is committed.
pub(super) struct Submitted {
    pub(super) submission: Arc<Submission>,
    pub(super) size: u64,
    /// What is leased of it from the start.
    pub(super) leased: Vec<Leased>,
}

/// The way to the writer.
#[derive(Debug, Clone)]
pub(super) struct WriterHandle {
    jobs: mpsc::Sender<Job>,
}

impl WriterHandle {
    /// A handle, and the end at which its jobs come out.
    pub(super) fn new() -> (Self, mpsc::Receiver<Job>) {
        let (jobs, receiver) = mpsc::channel(WAITING);
        (Self { jobs }, receiver)
    }

    pub(super) async fn submit(
        &self,
        submission: Submission,
        stored: Stored,
        deliveries: Vec<NewDelivery>,
    ) -> Result<Submitted, SpoolError> {
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
        if matches!(committed, Err(SpoolError::Full | SpoolError::Duplicate(_))) {
            file.iter_mut().for_each(|file| file.keep(false));
        }
        let leased = if committed? { new.leased(&submission) } else { Vec::new() };
        Ok(Submitted { submission, size, leased })
    }

    pub(super) async fn record(
        &self,
        leased: &Leased,
        outcomes: Vec<(u32, Outcome)>,
        telling: Option<Telling>,
        now: Timestamp,
    ) -> Result<Written, SpoolError> {
        let record = Record::new(leased, outcomes, telling, now);
        self.ask(|reply| Job::Record(record, reply)).await
    }

    pub(super) async fn record_delivered(
        &self,
        leased: &Leased,
        delivered: Vec<(u32, Outcome)>,
        telling: Option<Telling>,
        now: Timestamp,
    ) -> Result<bool, SpoolError> {
        let record = Record::of_some(leased, delivered, telling, now);
        Ok(self.ask(|reply| Job::Record(record, reply)).await?.goes_on)
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

    pub(super) async fn forget_settled(&self, before: Timestamp) -> Result<Forgotten, SpoolError> {
        self.ask(|reply| Job::ForgetSettled(before, reply)).await
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
                returned: false,
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
