//! Those who send: the state of each, and those whose windows have not passed.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use esmtp::Rejection;
use jiff::Timestamp;
use store::{Correspondent, Limit, Limits, OwnLimits, Revision, Sent};

use super::counter::{Counter, Full, News, Taken};
use super::known::Known;
use super::tell;

/// Below this many nobody looks for those that could be forgotten.
const FEW: usize = 1024;

/// Those that have sent in the last day, or do so now.
#[derive(Debug)]
pub(super) struct Senders<K>(Mutex<All<K>>);

#[derive(Debug)]
struct All<K> {
    senders: HashMap<K, Arc<Sender>>,
    /// With how many it is worth looking.
    many: usize,
}

/// One that sends.
#[derive(Debug, Default)]
pub(super) struct Sender(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    counter: Counter,
    known: Known,
    /// Own limits, and the revision of the store at which they were read.
    own: Option<(Revision, OwnLimits)>,
}

impl<K> Default for Senders<K> {
    fn default() -> Self {
        Self(Mutex::new(All { senders: HashMap::new(), many: 0 }))
    }
}

impl<K: Eq + Hash> Senders<K> {
    pub(super) fn get(&self, key: K) -> Option<Arc<Sender>> {
        self.all().senders.get(&key).cloned()
    }

    /// Its state, which begins with what was written down, unless somebody else has begun it meanwhile.
    pub(super) fn insert(&self, key: K, sent: Sent, now: Timestamp) -> Arc<Sender> {
        let mut all = self.all();
        all.forget_idle(now);
        Arc::clone(all.senders.entry(key).or_insert_with(|| Arc::new(Sender::resume(sent))))
    }

    fn all(&self) -> MutexGuard<'_, All<K>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> All<K> {
    /// Looks through all of them only when there are twice as many as the last look has left.
    fn forget_idle(&mut self, now: Timestamp) {
        if self.senders.len() < self.many.max(FEW) {
            return;
        }
        // Whoever holds one is about to count.
        self.senders
            .retain(|_, sender| Arc::strong_count(sender) > 1 || !sender.state().counter.is_idle(now));
        self.many = self.senders.len().saturating_mul(2);
    }
}

impl Sender {
    fn resume(sent: Sent) -> Self {
        Self(Mutex::new(State { counter: Counter::resume(sent), ..State::default() }))
    }

    pub(super) fn room(
        &self,
        limits: &Limits,
        more: impl Fn(Limit) -> u32,
        now: Timestamp,
    ) -> Result<(), Full> {
        self.state().counter.room(limits, more, now)
    }

    pub(super) fn used(&self, limit: Limit, now: Timestamp) -> u32 {
        self.state().counter.used(limit, now)
    }

    /// Counts a message. The clock is read once nobody else can, so that time passes here in one direction.
    pub(super) fn take(
        &self,
        who: &impl Display,
        limits: &Limits,
        recipients: u32,
        new_recipients: u32,
        clock: fn() -> Timestamp,
    ) -> Result<Taken, Rejection> {
        let mut state = self.state();
        let now = clock();
        let taken = state.counter.take(limits, recipients, new_recipients, now);
        drop(state);
        self.newly_near(limits, now)
            .into_iter()
            .for_each(|(limit, at_most)| tell::near_limit(who, limit, at_most));
        taken.map_err(|full| self.refuse(who, full))
    }

    pub(super) fn newly_near(&self, limits: &Limits, now: Timestamp) -> Vec<(Limit, u32)> {
        self.state().counter.newly_near(limits, now)
    }

    /// The reply to the client; the operator learns it once.
    pub(super) fn refuse(&self, who: &impl Display, full: Full) -> Rejection {
        if self.state().counter.is_first(full.limit, News::Reached) {
            tell::limited(who, &full);
        }
        full.into()
    }

    /// The message is kept: whom it went to is known from now on. `note` gets where the account stands, and of its
    /// correspondents those that the store should be told of.
    pub(super) fn kept(
        &self,
        recipients: &HashSet<Correspondent>,
        now: Timestamp,
        note: impl FnOnce(Sent, &[Correspondent]),
    ) {
        let mut state = self.state();
        let mut told = Vec::new();
        told.extend(recipients.iter().filter(|recipient| state.known.sent_to(**recipient, now)));
        // Still under lock: what is noted last is what was counted last.
        note(state.counter.sent(), &told);
    }

    pub(super) fn give_back(&self, taken: &Taken, note: impl FnOnce(Sent)) {
        let mut state = self.state();
        state.counter.give_back(taken);
        note(state.counter.sent());
    }

    /// Of these, those that nobody here remembers.
    pub(super) fn unknown(&self, recipients: &HashSet<Correspondent>) -> Vec<Correspondent> {
        let state = self.state();
        recipients.iter().filter(|recipient| !state.known.knows(recipient)).copied().collect()
    }

    pub(super) fn found(&self, known: impl Iterator<Item = Correspondent>) {
        let mut state = self.state();
        known.for_each(|recipient| state.known.found(recipient));
    }

    /// The own limits of the account, if they were read at this very revision.
    pub(super) fn own_limits(&self, revision: Option<Revision>) -> Option<OwnLimits> {
        let (at, own) = self.state().own?;
        (Some(at) == revision).then_some(own)
    }

    pub(super) fn remember_limits(&self, revision: Option<Revision>, own: OwnLimits) {
        self.state().own = revision.map(|revision| (revision, own));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
