//! A spool in memory, which can be told to fail.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use store::{
    Act, Body, Corrupt, Details, Entry, Lease, Leased, Operated, Operation, Outcome, Page, QueueFilter,
    Recipient, RecipientState, Spool, SpoolError, Stats, Submission,
};
use tokio::sync::Notify;
use types::QueueId;

#[derive(Default)]
pub(crate) struct MemorySpool {
    items: Mutex<BTreeMap<QueueId, Item>>,
    /// So many calls of `record` fail before one succeeds.
    pub(crate) failing_records: AtomicU32,
    /// After so many readings, bodies turn out damaged at their end.
    pub(crate) damaged: Mutex<Option<u32>>,
    /// How many bodies were opened.
    pub(crate) readings: AtomicU32,
    /// Told of every change.
    changed: Notify,
}

struct Item {
    submission: std::sync::Arc<Submission>,
    content: Bytes,
    recipients: Vec<Seat>,
    lease: Option<Lease>,
    held: bool,
}

/// Where a recipient stands.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    pub(crate) state: RecipientState,
    pub(crate) attempts: u32,
    pub(crate) due: Timestamp,
    pub(crate) reply: String,
    pub(crate) host: Option<String>,
}

impl Seat {
    fn open(&self) -> bool {
        matches!(self.state, RecipientState::Queued | RecipientState::Deferred)
    }
}

impl MemorySpool {
    /// Where each recipient of a message stands.
    pub(crate) fn seats(&self, id: QueueId) -> Vec<Seat> {
        self.items.lock().unwrap()[&id].recipients.clone()
    }

    pub(crate) fn is_held(&self, id: QueueId) -> bool {
        self.items.lock().unwrap()[&id].held
    }

    /// Lets a held message go.
    pub(crate) fn release(&self, id: QueueId, now: Timestamp) {
        self.items.lock().unwrap().get_mut(&id).unwrap().release(now);
    }

    /// Waits until `done`.
    pub(crate) async fn until(&self, done: impl Fn(&MemorySpool) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if done(self) {
                return;
            }
            changed.await;
        }
    }

    /// When the lease of a message ends.
    pub(crate) fn leased_until(&self, id: QueueId) -> Option<Timestamp> {
        self.items.lock().unwrap()[&id].lease.as_ref().map(|lease| lease.until)
    }

    pub(crate) fn leases(&self) -> usize {
        self.items.lock().unwrap().values().filter(|item| item.lease.is_some()).count()
    }

    pub(crate) fn count(&self, state: RecipientState) -> usize {
        self.items
            .lock()
            .unwrap()
            .values()
            .flat_map(|item| &item.recipients)
            .filter(|seat| seat.state == state)
            .count()
    }
}

impl Item {
    fn release(&mut self, now: Timestamp) {
        self.held = false;
        for seat in self.recipients.iter_mut().filter(|seat| seat.state == RecipientState::Held) {
            seat.state = if seat.attempts == 0 { RecipientState::Queued } else { RecipientState::Deferred };
            seat.due = now;
        }
    }

    fn leased(&self, now: Timestamp) -> Option<Leased> {
        let recipients: Vec<Recipient> = (0..)
            .zip(&self.recipients)
            .filter(|(_, seat)| seat.open() && seat.due <= now)
            .map(|(number, seat): (u32, _)| Recipient {
                number,
                forward_path: self.submission.recipients[usize::try_from(number).unwrap()].path.clone(),
                attempts: seat.attempts,
            })
            .collect();
        (!recipients.is_empty()).then(|| Leased {
            submission: self.submission.clone(),
            recipients,
            size: u64::try_from(self.content.len()).unwrap(),
            lease: self.lease.clone().unwrap(),
            content: None,
        })
    }
}

pub(crate) struct MemoryBody {
    chunks: Vec<Bytes>,
    damaged: bool,
}

impl Body for MemoryBody {
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, SpoolError> {
        match self.chunks.pop() {
            None if self.damaged => Err(Corrupt::on("message", "x", "content").into()),
            next => Ok(next),
        }
    }
}

impl Spool for MemorySpool {
    type Incoming = BytesMut;
    type Body = MemoryBody;

    fn open(&self, _id: QueueId) -> BytesMut {
        BytesMut::new()
    }

    async fn append(&self, incoming: &mut BytesMut, chunk: Bytes) -> Result<(), SpoolError> {
        incoming.extend_from_slice(&chunk);
        Ok(())
    }

    async fn commit(
        &self,
        submission: Submission,
        incoming: BytesMut,
        lease: Option<Lease>,
    ) -> Result<Option<Leased>, SpoolError> {
        let seat = Seat {
            state: RecipientState::Queued,
            attempts: 0,
            due: submission.first_due_at(),
            reply: String::new(),
            host: None,
        };
        let (id, now) = (submission.id, submission.accepted_at);
        let item = Item {
            recipients: vec![seat; submission.recipients.len()],
            content: incoming.freeze(),
            held: submission.held,
            submission: submission.into(),
            lease,
        };
        let leased = item.lease.is_some().then(|| item.leased(now)).flatten();
        self.items.lock().unwrap().insert(id, item);
        Ok(leased)
    }

    async fn room_for(&self, _octets: u64) -> Result<(), SpoolError> {
        Ok(())
    }

    async fn lease_due(
        &self,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        at_most: usize,
    ) -> Result<Vec<Leased>, SpoolError> {
        let mut found = Vec::new();
        let ended = |lease: &Lease| lease.until <= now;
        for item in self
            .items
            .lock()
            .unwrap()
            .values_mut()
            .filter(|item| item.lease.as_ref().is_none_or(ended) && !item.held)
        {
            if found.len() == at_most {
                break;
            }
            item.lease = Some(Lease { owner: owner.into(), until });
            match item.leased(now) {
                Some(leased) => {
                    self.changed.notify_waiters();
                    found.push(leased);
                }
                None => item.lease = None,
            }
        }
        Ok(found)
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, SpoolError> {
        let items = self.items.lock().unwrap();
        let waiting = items.values().filter(|item| item.lease.is_none() && !item.held);
        Ok(waiting.flat_map(|item| &item.recipients).filter(|seat| seat.open()).map(|seat| seat.due).min())
    }

    async fn bring_forward(&self, latest: Timestamp, now: Timestamp) -> Result<bool, SpoolError> {
        let mut any = false;
        for seat in self.items.lock().unwrap().values_mut().flat_map(|item| &mut item.recipients) {
            if seat.open() && seat.due > latest {
                (seat.due, any) = (now, true);
            }
        }
        Ok(any)
    }

    async fn release_leases(&self, owner: &str) -> Result<(), SpoolError> {
        for item in self.items.lock().unwrap().values_mut() {
            item.lease = item.lease.take().filter(|lease| &*lease.owner != owner);
        }
        Ok(())
    }

    async fn body(&self, leased: &Leased) -> Result<MemoryBody, SpoolError> {
        let mut content = self.items.lock().unwrap()[&leased.submission.id].content.clone();
        let mut chunks = Vec::new();
        while !content.is_empty() {
            chunks.insert(0, content.split_to(content.len().min(64 * 1024)));
        }
        let before = self.readings.fetch_add(1, Ordering::Relaxed);
        let damaged = self.damaged.lock().unwrap().is_some_and(|intact| before >= intact);
        Ok(MemoryBody { chunks, damaged })
    }

    async fn record(
        &self,
        leased: &Leased,
        outcomes: Vec<(u32, Outcome)>,
        _now: Timestamp,
    ) -> Result<(), SpoolError> {
        let fails = |left: u32| left.checked_sub(1);
        if self.failing_records.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fails).is_ok() {
            return Err(SpoolError::Full);
        }
        let mut items = self.items.lock().unwrap();
        let item = items.get_mut(&leased.submission.id).unwrap();
        item.lease = None;
        self.changed.notify_waiters();
        for (number, outcome) in outcomes {
            let seat = &mut item.recipients[usize::try_from(number).unwrap()];
            assert!(seat.open(), "{number} was settled before");
            seat.state = outcome.state();
            seat.attempts += u32::from(!matches!(outcome, Outcome::Held { reply: None, .. }));
            match outcome {
                Outcome::Delivered { reply, host } | Outcome::Failed { reply, host } => {
                    (seat.reply, seat.host) = (reply, host);
                }
                Outcome::Held { reply, host } => (seat.reply, seat.host) = (reply.unwrap_or_default(), host),
                Outcome::Deferred { reply, host, next_attempt_at } => {
                    (seat.reply, seat.host, seat.due) = (reply, host, next_attempt_at);
                }
            }
        }
        Ok(())
    }

    async fn quarantine(&self, id: QueueId, reason: &str) -> Result<(), SpoolError> {
        let mut items = self.items.lock().unwrap();
        let item = items.get_mut(&id).unwrap();
        (item.held, item.lease) = (true, None);
        self.changed.notify_waiters();
        item.recipients.iter_mut().for_each(|seat| seat.reply = reason.to_owned());
        Ok(())
    }

    async fn operate(
        &self,
        _operation: Operation,
        _ids: Vec<QueueId>,
        _act: &Act,
    ) -> Result<Vec<Operated>, SpoolError> {
        unreachable!("nothing here operates")
    }

    async fn take_operations(&self, _at_most: u32) -> Result<Vec<Operated>, SpoolError> {
        unreachable!("nothing here logs")
    }

    async fn list(&self, _filter: &QueueFilter, _page: Page<QueueId>) -> Result<Vec<Entry>, SpoolError> {
        unreachable!("nothing here lists")
    }

    async fn ids(&self, _filter: &QueueFilter, _page: Page<QueueId>) -> Result<Vec<QueueId>, SpoolError> {
        unreachable!("nothing here lists")
    }

    async fn show(&self, _id: QueueId) -> Result<Option<Details>, SpoolError> {
        unreachable!("nothing here shows")
    }

    async fn stats(&self) -> Result<Stats, SpoolError> {
        unreachable!("nothing here counts")
    }
}
