//! What waits for one destination, and the workers that carry it.
//!
//! Each destination has its own lane, so that a slow one keeps nobody waiting but its own mail. It has one worker until its host has
//! answered, and again after an attempt at which it did not: the next then tells whether it is back. What was due at a host that could not
//! be reached has no attempt of its own. On a lane accounts take turns, so that one that sends thousands of messages does not keep the others
//! waiting.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::{Spool, SpoolError};
use tokio::sync::Notify;
use types::AccountId;

use super::host_state::HostState;
use super::in_hand::Carried;
use super::prepared::PreparedWay;
use super::turns::Turns;
use crate::parcel::{Attempt, Parcel};
use crate::transport::Texts;

/// Parcels that may wait on one lane.
const ROOM: usize = 2000;
/// A lane with less room than this takes nothing more until it has some again.
const FULL: usize = 500;
/// Parcels that may wait on a lane whose host cannot be reached, if they have no attempts of their own.
const BACKLOG: usize = 500;
/// Octets of messages that wait on one lane in memory. The others are read when their turn comes.
const IN_MEMORY: usize = 16 * 1024 * 1024;
/// Octets of messages that wait on all lanes in memory.
const IN_MEMORY_OF_ALL: usize = 4 * IN_MEMORY;

/// One destination's mail.
#[derive(Debug)]
pub(crate) struct Lane {
    way: Arc<PreparedWay>,
    /// Octets that wait in memory on all lanes.
    octets_of_all: Arc<AtomicUsize>,
    /// Told when a lane that was full has room again.
    wake: Arc<Notify>,
    waiting: Mutex<Waiting>,
    used: AtomicBool,
}

#[derive(Debug, Default)]
struct Waiting {
    parcels: Turns<AccountId, Carried>,
    /// Octets of their messages that are in memory.
    octets: usize,
    workers: usize,
    host_state: HostState,
    /// Whether an attempt has ended on this lane.
    tried: bool,
}

impl Lane {
    pub(crate) fn new(
        way: Arc<PreparedWay>,
        octets_of_all: Arc<AtomicUsize>,
        wake: Arc<Notify>,
        host_state: HostState,
    ) -> Lane {
        let waiting = Mutex::new(Waiting { host_state, ..Waiting::default() });
        Lane { way, octets_of_all, wake, waiting, used: AtomicBool::new(true) }
    }

    pub(crate) fn is_on(&self, way: &Arc<PreparedWay>) -> bool {
        Arc::ptr_eq(&self.way, way)
    }

    /// Whether it was used since this was asked last.
    pub(crate) fn was_used(&self) -> bool {
        self.used.swap(false, Ordering::Relaxed)
    }

    /// What is known of its host.
    pub(crate) fn host_state(&self) -> HostState {
        self.waiting().host_state.clone()
    }

    /// Notes what an attempt has shown of its host; what is known of it now, if that is news. If the host answers again,
    /// [`relief`](Lane::relief) is called for, and there is room for more.
    ///
    /// A failure counts for other mail if it is not the first, and nobody else is at the host: some turn away whoever is one too many.
    pub(crate) fn note(&self, host_state: HostState) -> Option<HostState> {
        let mut waiting = self.waiting();
        waiting.tried = true;
        let answered_before = waiting.host_state.answers();
        waiting.host_state = match host_state {
            HostState::Fails(failure) if waiting.host_state.failure().is_none() || waiting.workers > 1 => {
                HostState::Fails(failure.alone())
            }
            host_state => host_state,
        };
        let answers = waiting.host_state.answers();
        if answers && !answered_before {
            self.wake.notify_one();
        }
        (!answers || !answered_before).then(|| waiting.host_state.clone())
    }

    /// Whether it is to give up its place when there are no more for others: its host was tried since it had it, and does not answer.
    pub(crate) fn gives_way(&self) -> bool {
        let waiting = self.waiting();
        waiting.tried && waiting.workers <= 1 && waiting.host_state.failure().is_some()
    }

    /// How many parcels wait on it.
    pub(crate) fn len(&self) -> usize {
        self.waiting().parcels.len()
    }

    /// How many more parcels may wait; where the host does not answer, no more than its [share](Lane::share).
    pub(crate) fn room(&self) -> usize {
        let waiting = self.waiting();
        if waiting.host_state.failure().is_some() {
            return self.at_once().saturating_sub(waiting.parcels.len());
        }
        let room = ROOM.saturating_sub(waiting.parcels.len());
        if room < FULL { 0 } else { room }
    }

    /// How many more parcels may wait that have no attempt of their own: none before hardly any is left.
    pub(crate) fn backlog_room(&self) -> usize {
        let waiting = self.waiting().parcels.len();
        if waiting > self.at_once() { 0 } else { BACKLOG.saturating_sub(waiting) }
    }

    /// How many more may wait when so much waits on all lanes that none has more than its share: as much as it carries at once.
    pub(crate) fn share(&self) -> usize {
        self.at_once().saturating_sub(self.waiting().parcels.len())
    }

    /// Whether a new message of this account may wait here: also on a lane that is full, as long as little of that account waits there.
    pub(crate) fn has_room_for(&self, account: AccountId) -> bool {
        self.room() > 0 || self.has_share(account)
    }

    fn has_share(&self, account: AccountId) -> bool {
        let waiting = self.waiting();
        waiting.parcels.len() < 2 * ROOM && waiting.parcels.of(account) < self.at_once()
    }

    fn at_once(&self) -> usize {
        self.way.way.connections
    }

    /// Adds a parcel; whether another worker should begin.
    #[must_use]
    pub(crate) fn push(&self, mut carried: Carried) -> bool {
        self.used.store(true, Ordering::Relaxed);
        let mut waiting = self.waiting();
        let (octets, of_all) = (carried.parcel.octets(), self.octets_of_all.load(Ordering::Relaxed));
        if waiting.octets + octets > IN_MEMORY || of_all + octets > IN_MEMORY_OF_ALL {
            carried.parcel.leased.content = None;
        }
        let octets = carried.parcel.octets();
        waiting.octets += octets;
        self.octets_of_all.fetch_add(octets, Ordering::Relaxed);
        let submission = &carried.parcel.leased.submission;
        waiting.parcels.push(submission.account, submission.priority.number(), carried);
        self.call_worker(&mut waiting)
    }

    /// Whether another worker should begin: more waits than the workers there are have taken.
    #[must_use]
    pub(crate) fn relief(&self) -> bool {
        let mut waiting = self.waiting();
        waiting.parcels.len() > 0 && self.call_worker(&mut waiting)
    }

    fn call_worker(&self, waiting: &mut Waiting) -> bool {
        let more = waiting.workers < self.most_workers(&waiting.host_state);
        waiting.workers += usize::from(more);
        more
    }

    fn most_workers(&self, host_state: &HostState) -> usize {
        if host_state.answers() { self.at_once() } else { 1 }
    }

    /// Takes out all that waits.
    pub(crate) fn clear(&self) -> Vec<Carried> {
        let mut waiting = self.waiting();
        std::iter::from_fn(|| self.pop(&mut waiting)).collect()
    }

    fn pop(&self, waiting: &mut Waiting) -> Option<Carried> {
        let carried = waiting.parcels.next()?;
        let octets = carried.parcel.octets();
        waiting.octets -= octets;
        self.octets_of_all.fetch_sub(octets, Ordering::Relaxed);
        Some(carried)
    }

    /// The shift of a worker that [`push`](Lane::push) or [`relief`](Lane::relief) asked for.
    pub(crate) fn begin(&self) -> Shift<'_> {
        Shift { lane: self, over: false }
    }

    /// Makes an attempt; `None` if nothing leaves on this lane. An error is the spool's, and says nothing about the recipients.
    pub(crate) async fn carry<S: Spool>(
        &self,
        parcel: &Parcel,
        texts: &Texts<S>,
    ) -> Result<Option<Attempt>, SpoolError> {
        self.way.transport.carry(parcel, texts).await
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing done under this lock can be left half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What waits on it is in memory no longer.
impl Drop for Lane {
    fn drop(&mut self) {
        self.octets_of_all.fetch_sub(self.waiting().octets, Ordering::Relaxed);
    }
}

/// A worker's time on a lane; it counts as one of its workers until it is over, even if it ends by a panic.
#[derive(Debug)]
pub(crate) struct Shift<'a> {
    lane: &'a Lane,
    over: bool,
}

impl Shift<'_> {
    /// The parcel whose turn it is; `None` ends the shift, also if there are more workers than a host gets that does not answer.
    pub(crate) fn next(&mut self) -> Option<Carried> {
        let mut waiting = self.lane.waiting();
        let is_needed = waiting.workers <= self.lane.most_workers(&waiting.host_state);
        let carried = is_needed.then(|| self.lane.pop(&mut waiting)).flatten();
        let backlog_is_over =
            waiting.host_state.failure().is_some() && waiting.parcels.len() == self.lane.at_once();
        if carried.is_some() && (waiting.parcels.len() == ROOM - FULL || backlog_is_over) {
            self.lane.wake.notify_one();
        }
        if carried.is_none() && !self.over {
            // Under the same lock, so that a parcel which comes now finds one worker too few.
            waiting.workers -= 1;
            self.over = true;
        }
        carried
    }
}

impl Drop for Shift<'_> {
    fn drop(&mut self) {
        if !self.over {
            self.lane.waiting().workers -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use store::{Lease, Leased, Submission};
    use types::{NodeId, QueueId, ReversePath};

    use super::*;
    use crate::carry::failure::Failure;
    use crate::carry::in_hand::InHand;
    use crate::way::{Via, Way};

    fn lane(connections: usize) -> Lane {
        let way = Way { connections, ..Via::Hold.into() };
        let resolver = dns::Resolver::new(&dns::Upstream::default()).unwrap();
        let sts = Arc::new(crate::resolve::StsPolicies::none());
        let tls_tally = Arc::new(crate::tls_tally::TlsTally::new(|| jiff::Timestamp::UNIX_EPOCH));
        let (hostname, resolver, sts, tls_tally) = ("mail.example.org", &resolver, &sts, &tls_tally);
        let surroundings = crate::transport::Surroundings { hostname, resolver, sts, tls_tally };
        let way = PreparedWay::new(&way, surroundings, &[]).unwrap();
        Lane::new(way, Arc::default(), Arc::default(), HostState::Answers)
    }

    fn fails() -> HostState {
        HostState::Fails(Failure::just_now())
    }

    fn parcel(n: u64, octets: usize) -> Carried {
        let (id, account) = (QueueId::new(n, [0; 10]), AccountId::new(1, [0; 10]));
        let submission = Submission::new(id, account, "", ReversePath::Null, Timestamp::UNIX_EPOCH);
        let leased = Leased {
            submission: Arc::new(submission),
            destination: "there".into(),
            recipients: Vec::new(),
            size: u64::try_from(octets).unwrap(),
            lease: Lease { owner: NodeId::from_bytes([1; 16]), token: 1 },
            returned: false,
            content: Some(vec![b'x'; octets].into()),
        };
        let hand = InHand::default().take(&leased).unwrap();
        Carried::new(Parcel::new(leased), hand)
    }

    #[test]
    fn however_much_waits_only_so_much_is_in_memory() {
        let lane = lane(20);
        for n in 0..40 {
            let _ = lane.push(parcel(n, 1024 * 1024));
        }
        assert_eq!(lane.waiting().octets, IN_MEMORY);
        let mut shift = lane.begin();
        let kept = std::iter::from_fn(|| shift.next()).filter(|carried| carried.parcel.octets() > 0).count();
        assert_eq!((kept, lane.waiting().octets), (16, 0));
        assert_eq!(lane.octets_of_all.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn however_many_lanes_there_are_only_so_much_is_in_memory() {
        let (way, all) = (lane(20).way.clone(), Arc::<AtomicUsize>::default());
        let lane = || Lane::new(way.clone(), all.clone(), Arc::default(), HostState::Answers);
        let lanes: Vec<_> = std::iter::repeat_with(lane).take(10).collect();
        for n in 0..100 {
            let _ = lanes[n % 10].push(parcel(n.try_into().unwrap(), 1024 * 1024));
        }
        assert_eq!(all.load(Ordering::Relaxed), IN_MEMORY_OF_ALL);
        let kept = lanes.iter().flat_map(Lane::clear).filter(|carried| carried.parcel.octets() > 0).count();
        assert_eq!((kept, all.load(Ordering::Relaxed)), (64, 0));
    }

    #[test]
    fn what_waits_on_a_lane_that_is_dropped_is_in_memory_no_longer() {
        let lane = lane(20);
        let all = lane.octets_of_all.clone();
        let _ = lane.push(parcel(1, 1000));
        assert_eq!(all.load(Ordering::Relaxed), 1000);
        drop(lane);
        assert_eq!(all.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_lane_has_as_many_workers_as_its_way_allows() {
        let lane = lane(3);
        let begun = (0..10).filter(|n| lane.push(parcel(*n, 1))).count();
        assert_eq!((begun, lane.share()), (3, 0));
        let mut shift = lane.begin();
        while shift.next().is_some() {}
        assert_eq!((lane.push(parcel(11, 1)), lane.share()), (true, 2));
    }

    #[test]
    fn a_host_that_does_not_answer_has_one_worker_until_it_does() {
        let lane = lane(3);
        assert!(lane.note(HostState::Unknown).is_some());
        let begun = (0..10).filter(|n| lane.push(parcel(*n, 1))).count();
        assert_eq!(begun, 1, "it was not asked yet");
        let mut first = lane.begin();
        assert!(first.next().is_some());
        assert!(lane.note(HostState::Answers).is_some() && lane.note(HostState::Answers).is_none());
        let (mut second, mut third) = (lane.relief().then(|| lane.begin()).unwrap(), lane.begin());
        assert_eq!((lane.relief(), lane.relief()), (true, false));
        assert!(second.next().is_some() && third.next().is_some());
        let _ = lane.note(fails());
        assert!(first.next().is_none() && second.next().is_none(), "one is enough to see whether it is back");
        assert!(third.next().is_some() && !lane.relief());
        let _ = lane.note(HostState::Answers);
        assert!(lane.relief());
    }

    #[test]
    fn a_lane_whose_host_does_not_answer_takes_its_share_alone_and_gives_way_once_it_was_tried() {
        let lane = lane(3);
        assert!(lane.push(parcel(1, 1)) && lane.room() > 3 && !lane.gives_way());
        let _ = lane.note(fails());
        assert_eq!((lane.room(), lane.gives_way()), (2, true));
    }

    #[test]
    fn a_lane_full_of_one_account_has_room_for_another() {
        let lane = lane(20);
        let (busy, other) = (AccountId::new(1, [0; 10]), AccountId::new(2, [0; 10]));
        for n in 0..2000 {
            assert!(n >= 1500 || lane.has_room_for(busy));
            let _ = lane.push(parcel(n, 1));
        }
        assert_eq!((lane.room(), lane.has_room_for(busy), lane.has_room_for(other)), (0, false, true));
    }
}
