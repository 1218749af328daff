//! A spool in memory, which can be told to fail. It passes the conformance tests of `store`, so that what is shown with it is shown of
//! any spool.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use store::{
    Act, Body, Corrupt, Destination, Details, DuplicateKey, Entry, HeldLease, Leased, MasterKeyId,
    NewDelivery, NewReport, Node, Nodes, Operated, Operation, Outcome, Page, QueueFilter, RecipientState,
    Recorded, Reportable, Spool, SpoolError, Standing, Stats, Submission, Telling, Waiting,
};
use tokio::sync::Notify;
use types::{NodeId, QueueId};

use crate::item::{Item, Seat};

#[derive(Default)]
pub(crate) struct MemorySpool {
    queue: Mutex<Queue>,
    /// So many calls of `record` fail before one succeeds.
    pub(crate) failing_records: AtomicU32,
    /// After so many readings, bodies turn out damaged at their end.
    pub(crate) damaged: Mutex<Option<u32>>,
    /// How many bodies were opened.
    pub(crate) readings: AtomicU32,
    /// So many bodies are not opened, by a bug.
    pub(crate) panicking_reads: AtomicU32,
    /// How often the queue was looked at.
    pub(crate) looks: AtomicU32,
    /// How often it was recorded who has a message before all were tried.
    pub(crate) notes: AtomicU32,
    /// The most deliveries that were ever leased at once.
    pub(crate) most_leased: AtomicUsize,
    /// Told of every change.
    changed: Notify,
}

#[derive(Default)]
struct Queue {
    items: BTreeMap<QueueId, Item>,
    nodes: BTreeMap<NodeId, Node>,
    operations: VecDeque<Operated>,
    recent: Vec<(DuplicateKey, QueueId)>,
}

impl MemorySpool {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap()
    }

    /// Where each recipient of a message stands.
    pub(crate) fn seats(&self, id: QueueId) -> Vec<Seat> {
        self.queue().items[&id].seats.clone()
    }

    pub(crate) fn is_held(&self, id: QueueId) -> bool {
        self.queue().items[&id].held
    }

    /// Whether nothing is left to be done for a message.
    pub(crate) fn is_settled(&self, id: QueueId) -> bool {
        self.queue().items[&id].is_settled()
    }

    /// The messages that were ever in the queue and are like this, oldest first.
    pub(crate) fn find(&self, is_one: impl Fn(&Submission) -> bool) -> Vec<QueueId> {
        let queue = self.queue();
        queue.items.iter().filter(|(_, item)| is_one(&item.submission)).map(|(id, _)| *id).collect()
    }

    pub(crate) fn text(&self, id: QueueId) -> String {
        String::from_utf8(self.queue().items[&id].content.to_vec()).unwrap()
    }

    pub(crate) fn submission(&self, id: QueueId) -> Arc<Submission> {
        self.queue().items[&id].submission.clone()
    }

    /// Has a message tried again.
    pub(crate) fn retry(&self, id: QueueId, now: Timestamp) {
        self.queue().items.get_mut(&id).unwrap().operate(Operation::Retry, now);
    }

    /// Has a message returned to its sender.
    pub(crate) fn bounce(&self, id: QueueId, now: Timestamp) {
        self.queue().items.get_mut(&id).unwrap().operate(Operation::Bounce, now);
    }

    /// Lets a held message go.
    pub(crate) fn release(&self, id: QueueId, now: Timestamp) {
        self.queue().items.get_mut(&id).unwrap().operate(Operation::Release, now);
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

    /// The nodes that have leases of a message.
    pub(crate) fn owners(&self, id: QueueId) -> Vec<NodeId> {
        self.queue().items[&id].deliveries.values().filter_map(|delivery| delivery.owner).collect()
    }

    pub(crate) fn leases(&self) -> usize {
        self.queue().items.values().map(Item::leases).sum()
    }

    pub(crate) fn count(&self, state: RecipientState) -> usize {
        let queue = self.queue();
        queue.items.values().flat_map(|item| &item.seats).filter(|seat| seat.state == state).count()
    }

    /// Attempts that are written down, of all recipients.
    pub(crate) fn attempts(&self) -> u32 {
        self.queue().items.values().flat_map(|item| &item.seats).map(|seat| seat.attempts).sum()
    }

    /// A lease that the store has and nobody knows of, as if its answer had been lost.
    pub(crate) fn lose_a_lease(&self, id: QueueId) {
        let mut queue = self.queue();
        let owner = *queue.nodes.keys().next().unwrap();
        for delivery in queue.items.get_mut(&id).unwrap().deliveries.values_mut() {
            (delivery.owner, delivery.token) = (Some(owner), delivery.token + 1);
        }
    }

    /// The newest master key that the only node has told.
    pub(crate) fn newest_key(&self) -> Option<MasterKeyId> {
        self.queue().nodes.values().next().and_then(|node| node.newest_key)
    }

    /// The only node.
    pub(crate) fn node(&self) -> NodeId {
        *self.queue().nodes.keys().next().unwrap()
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

impl Nodes for MemorySpool {
    async fn join(&self, node: &Node) -> Result<(), SpoolError> {
        self.queue().nodes.entry(node.id).or_insert_with(|| node.clone());
        self.changed.notify_waiters();
        Ok(())
    }

    async fn beat(&self, id: NodeId, newest_key: MasterKeyId) -> Result<Standing, SpoolError> {
        match self.queue().nodes.get_mut(&id) {
            Some(node) => node.newest_key = Some(newest_key),
            None => return Ok(Standing::Buried),
        }
        self.changed.notify_waiters();
        Ok(Standing::Stands)
    }

    async fn leave(&self, id: NodeId) -> Result<(), SpoolError> {
        self.bury(id).await.map(drop)
    }

    async fn bury(&self, id: NodeId) -> Result<bool, SpoolError> {
        let mut queue = self.queue();
        queue.items.values_mut().for_each(|item| item.is_left_by(id));
        self.changed.notify_waiters();
        Ok(queue.nodes.remove(&id).is_some())
    }

    async fn nodes(&self) -> Result<Vec<Node>, SpoolError> {
        let mut nodes: Vec<Node> = self.queue().nodes.values().cloned().collect();
        nodes.sort_by_key(|node| (node.started_at, node.id));
        Ok(nodes)
    }

    async fn is_starting(&self) -> Result<bool, SpoolError> {
        Ok(false)
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
        deliveries: Vec<NewDelivery>,
    ) -> Result<Vec<Leased>, SpoolError> {
        let mut queue = self.queue();
        if queue.items.contains_key(&submission.id) {
            return Err(SpoolError::Failing("the id is used already".into()));
        }
        if let Some(key) = submission.duplicate_key {
            let has_failed = |entry: &QueueId| queue.items.get(entry).is_some_and(Item::has_failed);
            let is_it = |(known, entry): &&(DuplicateKey, QueueId)| {
                known.digest == key.digest && key.is_known_from(known.received_at) && !has_failed(entry)
            };
            if let Some((_, first)) = queue.recent.iter().find(is_it) {
                return Err(SpoolError::Duplicate(*first));
            }
            queue.recent.push((key, submission.id));
        }
        let now = submission.accepted_at;
        let id = submission.id;
        let mut item = Item::new(submission, incoming.freeze(), &deliveries);
        let leased = deliveries.into_iter().filter_map(|delivery| {
            let owner = delivery.owner.filter(|owner| queue.nodes.contains_key(owner))?;
            item.lease(&delivery.destination, owner, now)
        });
        let leased = leased.collect();
        queue.items.insert(id, item);
        Ok(leased)
    }

    async fn room_for(&self, _octets: u64) -> Result<(), SpoolError> {
        Ok(())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, SpoolError> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_waiters();
        Ok(self.queue().items.values().flat_map(Item::waiting).map(|(_, due_at)| due_at).min())
    }

    async fn waiting(&self, page: Page<Destination>) -> Result<Vec<Waiting>, SpoolError> {
        let mut waiting = BTreeMap::new();
        for (destination, due_at) in self.queue().items.values().flat_map(Item::waiting) {
            let earliest = waiting.entry(destination).or_insert(due_at);
            *earliest = due_at.min(*earliest);
        }
        let waiting = waiting.into_iter().map(|(destination, due_at)| Waiting { destination, due_at });
        let page_of =
            waiting.filter(|waiting| page.after.as_ref().is_none_or(|after| waiting.destination > *after));
        Ok(page_of.take(page.limit.try_into().unwrap()).collect())
    }

    async fn lease_due(
        &self,
        owner: NodeId,
        now: Timestamp,
        room: Vec<(Destination, u32)>,
    ) -> Result<Vec<Leased>, SpoolError> {
        let mut queue = self.queue();
        if !queue.nodes.contains_key(&owner) {
            return Ok(Vec::new());
        }
        let mut leased = Vec::new();
        for (destination, room) in room {
            let mut due = Vec::new();
            for (id, item) in &queue.items {
                let here = item.waiting().into_iter().filter(|(there, _)| *there == destination);
                let urgency = Reverse(item.submission.priority);
                due.extend(
                    here.filter(|(_, due_at)| *due_at <= now).map(|(_, due_at)| (urgency, due_at, *id)),
                );
            }
            due.sort();
            for (_, _, id) in due.into_iter().take(room.try_into().unwrap()) {
                leased.extend(queue.items.get_mut(&id).unwrap().lease(&destination, owner, now));
            }
        }
        leased.sort_by_key(|leased| (leased.submission.id, leased.destination.clone()));
        let leases = queue.items.values().map(Item::leases).sum();
        self.most_leased.fetch_max(leases, Ordering::Relaxed);
        self.changed.notify_waiters();
        Ok(leased)
    }

    async fn held_by(&self, owner: NodeId) -> Result<Vec<HeldLease>, SpoolError> {
        Ok(self.queue().items.values().flat_map(|item| item.held_by(owner)).collect())
    }

    async fn give_back(&self, owner: NodeId, leases: Vec<HeldLease>) -> Result<(), SpoolError> {
        let mut queue = self.queue();
        for HeldLease { delivery, token } in leases {
            let item = queue.items.get_mut(&delivery.entry);
            if let Some(held) = item.and_then(|item| item.deliveries.get_mut(&delivery.destination))
                && (held.owner, held.token) == (Some(owner), token)
            {
                held.owner = None;
            }
        }
        self.changed.notify_waiters();
        Ok(())
    }

    async fn reroute(
        &self,
        leased: &Leased,
        destinations: Vec<(u32, Destination)>,
    ) -> Result<Recorded, SpoolError> {
        let mut queue = self.queue();
        let item = queue.items.get_mut(&leased.submission.id).filter(|item| item.is_owned(leased));
        let Some(item) = item else { return Ok(Recorded::TakenOver) };
        item.reroute(&leased.destination, destinations);
        self.changed.notify_waiters();
        Ok(Recorded::Kept)
    }

    async fn bring_forward(&self, latest: Timestamp, now: Timestamp) -> Result<bool, SpoolError> {
        let mut any = false;
        for item in self.queue().items.values_mut() {
            any |= item.bring_news_forward(latest, now);
            let Submission { not_before, accepted_at, .. } = &*item.submission;
            if not_before.is_some_and(|not_before| not_before > now) && *accepted_at <= latest {
                continue;
            }
            for seat in item.seats.iter_mut().filter(|seat| seat.is_open() && seat.due > latest) {
                (seat.due, any) = (now, true);
            }
        }
        Ok(any)
    }

    async fn body(&self, leased: &Leased) -> Result<MemoryBody, SpoolError> {
        let left = |left: u32| left.checked_sub(1);
        let fails = self.panicking_reads.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
        assert!(fails.is_err(), "as if by a bug");
        let mut content = self.queue().items[&leased.submission.id].content.clone();
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
        telling: Option<Telling>,
        now: Timestamp,
    ) -> Result<Recorded, SpoolError> {
        let fails = |left: u32| left.checked_sub(1);
        if self.failing_records.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fails).is_ok() {
            return Err(SpoolError::Full);
        }
        let mut queue = self.queue();
        let recorded = match queue.items.get_mut(&leased.submission.id) {
            Some(item) => item.record(leased, outcomes, telling.as_ref(), now),
            None => Recorded::TakenOver,
        };
        let report = telling.and_then(|telling| telling.report).filter(|_| recorded == Recorded::Kept);
        if let Some(NewReport { submission, content, .. }) = report {
            let there = [NewDelivery::of_all(&submission, Destination::unknown(), None)];
            queue.items.insert(submission.id, Item::new(submission, content, &there));
        }
        self.changed.notify_waiters();
        Ok(recorded)
    }

    async fn record_delivered(
        &self,
        leased: &Leased,
        delivered: Vec<(u32, Outcome)>,
        telling: Option<Telling>,
        now: Timestamp,
    ) -> Result<bool, SpoolError> {
        self.notes.fetch_add(1, Ordering::Relaxed);
        let mut queue = self.queue();
        let item = queue.items.get_mut(&leased.submission.id);
        let goes_on =
            item.is_some_and(|item| item.record_delivered(leased, delivered, telling.as_ref(), now));
        self.changed.notify_waiters();
        Ok(goes_on)
    }

    async fn reportable(&self, id: QueueId) -> Result<Vec<Reportable>, SpoolError> {
        Ok(self.queue().items.get(&id).map(Item::reportable).unwrap_or_default())
    }

    async fn forget_settled(&self, before: Timestamp) -> Result<bool, SpoolError> {
        let is_kept = |item: &Item| item.settled_at.is_none_or(|at| at >= before);
        self.queue().items.retain(|_, item| is_kept(item) && !item.is_old_from_nobody(before));
        Ok(false)
    }

    async fn quarantine(&self, id: QueueId, reason: &str) -> Result<(), SpoolError> {
        if let Some(item) = self.queue().items.get_mut(&id) {
            item.quarantine(reason);
        }
        self.changed.notify_waiters();
        Ok(())
    }

    async fn operate(
        &self,
        operation: Operation,
        ids: Vec<QueueId>,
        act: &Act,
    ) -> Result<Vec<Operated>, SpoolError> {
        let mut queue = self.queue();
        let mut done = Vec::new();
        for id in ids {
            let Some(item) = queue.items.get_mut(&id).filter(|item| !item.is_settled()) else { continue };
            if operation == Operation::Undo && !item.can_be_undone(act.at) {
                continue;
            }
            if operation == Operation::Stop && item.held {
                continue;
            }
            item.operate(operation, act.at);
            done.push(Operated {
                operation,
                by: act.by.to_string(),
                at: act.at,
                id,
                account: item.submission.account_address.clone(),
                message_id: item.submission.message_id.clone(),
            });
            if operation.removes() {
                queue.items.remove(&id);
            }
            if matches!(operation, Operation::Undo | Operation::Stop) {
                queue.recent.retain(|(_, entry)| *entry != id);
            }
        }
        queue.operations.extend(done.iter().cloned());
        self.changed.notify_waiters();
        Ok(done)
    }

    async fn take_operations(&self, at_most: u32) -> Result<Vec<Operated>, SpoolError> {
        let mut queue = self.queue();
        let taken = queue.operations.len().min(at_most.try_into().unwrap());
        Ok(queue.operations.drain(..taken).collect())
    }

    async fn list(&self, filter: &QueueFilter, page: Page<QueueId>) -> Result<Vec<Entry>, SpoolError> {
        let settled = filter.settled;
        assert_eq!(*filter, QueueFilter { settled, ..QueueFilter::default() }, "nothing here searches");
        let queue = self.queue();
        let is_listed = |item: &Item| !item.is_gone() && (settled || !item.is_settled());
        let items = queue.items.iter().filter(|(id, item)| is_listed(item) && Some(**id) > page.after);
        Ok(items.take(page.limit.try_into().unwrap()).map(|(_, item)| item.details().entry).collect())
    }

    async fn ids(&self, _filter: &QueueFilter, _page: Page<QueueId>) -> Result<Vec<QueueId>, SpoolError> {
        unreachable!("nothing here searches")
    }

    async fn details(&self, ids: &[QueueId]) -> Result<Vec<Details>, SpoolError> {
        let queue = self.queue();
        let asked = queue.items.iter().filter(|(id, item)| ids.contains(id) && !item.is_gone());
        Ok(asked.map(|(_, item)| item.details()).collect())
    }

    async fn stats(&self) -> Result<Stats, SpoolError> {
        let queue = self.queue();
        let mut stats = Stats::default();
        for item in queue.items.values().filter(|item| !item.is_settled()) {
            stats.entries += 1;
            stats.octets += u64::try_from(item.content.len()).unwrap();
            stats.oldest =
                stats.oldest.or(Some(item.submission.accepted_at)).min(Some(item.submission.accepted_at));
            for recipient in item.details().recipients {
                match recipient.state {
                    RecipientState::Queued => stats.queued += 1,
                    RecipientState::Deferred => stats.deferred += 1,
                    RecipientState::Held => stats.held += 1,
                    RecipientState::Failed => stats.failed += 1,
                    RecipientState::Delivered => {}
                }
            }
        }
        Ok(stats)
    }
}

/// A store that has a queue alone, for the conformance tests.
#[derive(Clone, Default)]
pub(crate) struct MemoryStore(Arc<MemorySpool>);

impl MemoryStore {
    pub(crate) fn spool(&self) -> &MemorySpool {
        &self.0
    }
}
