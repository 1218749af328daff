//! The lanes there are: one for each destination that has mail in memory, or had some lately.
//!
//! A lane is made when there is a delivery for its destination, and dropped once it has been idle for a while. However many destinations
//! wait in the queue, so many lanes there are at most, and the others wait there for their turn. It comes when a lane is idle, or when one
//! whose host does not answer gives way. Whether a host answers is remembered for longer than its lane.

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::Destination;
use tokio::sync::Notify;

use super::failure::Failure;
use super::host_state::{HostState, HostStates};
use super::lane::Lane;
use super::prepared::PreparedWay;

/// No lane is made for what waits in the queue while there are so many.
const LANES: usize = 1000;
/// New mail may have so many: what waits, perhaps for hosts that are long dead, does not keep it from leaving at once.
const LANES_WITH_NEW_MAIL: usize = 2 * LANES;

/// All lanes.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: Mutex<HashMap<Destination, Arc<Lane>>>,
    host_states: HostStates,
    /// Octets of messages that wait on all of them in memory.
    octets: Arc<AtomicUsize>,
    /// Told when a lane that was full has room again.
    wake: Arc<Notify>,
}

impl Lanes {
    pub(super) fn new(wake: Arc<Notify>) -> Lanes {
        Lanes { lanes: Mutex::default(), host_states: HostStates::default(), octets: Arc::default(), wake }
    }

    /// The lane of a destination, if there is one on this way.
    pub(super) fn find(&self, destination: &Destination, way: &Arc<PreparedWay>) -> Option<Arc<Lane>> {
        let lane = self.all().get(destination).cloned();
        lane.filter(|lane| lane.is_on(way))
    }

    /// The lane of a destination, made if there is none; and the one that it replaces, which was on another way.
    pub(super) fn find_or_make(
        &self,
        destination: &Destination,
        way: &Arc<PreparedWay>,
    ) -> (Arc<Lane>, Option<Arc<Lane>>) {
        let mut all = self.all();
        if let Some(lane) = all.get(destination).filter(|lane| lane.is_on(way)) {
            return (lane.clone(), None);
        }
        let lane = self.make(destination, way);
        let replaced = all.insert(destination.clone(), lane.clone());
        (lane, replaced)
    }

    /// Remembers what an attempt has shown of the host of a destination.
    pub(super) fn remember(&self, destination: &Destination, host_state: HostState) {
        self.host_states.note(destination, host_state);
    }

    /// What is known of the host of a destination.
    pub(super) fn host_state(&self, destination: &Destination) -> HostState {
        self.host_states.of(destination)
    }

    /// The destinations whose host did not answer at the last attempt, of those that are remembered.
    pub(super) fn failing(&self) -> Vec<(Destination, Failure)> {
        self.host_states.failing()
    }

    /// Whether mail for this destination waits in memory, or is under way.
    pub(super) fn is_busy(&self, destination: &Destination) -> bool {
        self.all().get(destination).is_some_and(|lane| lane.len() > 0 || is_used(lane))
    }

    /// Every lane's destination, and how many parcels wait on it.
    pub(super) fn waiting(&self) -> Vec<(Destination, usize)> {
        self.all().iter().map(|(destination, lane)| (destination.clone(), lane.len())).collect()
    }

    /// Takes out as many as others are in want of, of those whose host does not answer.
    pub(super) fn give_way(&self, wanted: usize) -> Vec<Arc<Lane>> {
        let mut all = self.all();
        let giving = all.extract_if(|_, lane| lane.gives_way());
        giving.take(wanted).map(|(_, lane)| lane).collect()
    }

    /// How many more may be made for what waits in the queue. If there is no room, those that nobody uses now are dropped.
    pub(super) fn room(&self) -> usize {
        let mut all = self.all();
        if all.len() >= LANES {
            all.retain(|_, lane| is_used(lane));
        }
        LANES.saturating_sub(all.len())
    }

    /// Makes one for new mail, which is put on it once it is durable, unless there are too many. One that is on another way is replaced then.
    pub(super) fn make_for_new_mail(&self, destination: &Destination, way: &Arc<PreparedWay>) -> bool {
        let mut all = self.all();
        let may_be_made = all.contains_key(destination) || all.len() < LANES_WITH_NEW_MAIL;
        if may_be_made {
            all.entry(destination.clone()).or_insert_with(|| self.make(destination, way));
        }
        may_be_made
    }

    fn make(&self, destination: &Destination, way: &Arc<PreparedWay>) -> Arc<Lane> {
        let host_state = self.host_states.of(destination);
        Arc::new(Lane::new(way.clone(), self.octets.clone(), self.wake.clone(), host_state))
    }

    /// Drops those that were not used since this was called last.
    pub(super) fn drop_idle(&self) {
        self.all().retain(|_, lane| lane.was_used() | is_used(lane));
    }

    /// Takes out those that are not on their way any more.
    pub(super) fn sort_out(&self, is_right: impl Fn(&Destination, &Lane) -> bool) -> Vec<Arc<Lane>> {
        let wrong = |destination: &Destination, lane: &mut Arc<Lane>| !is_right(destination, lane);
        self.all().extract_if(wrong).map(|(_, lane)| lane).collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Destination, Arc<Lane>>> {
        // Nothing done under this lock can be left half done.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether somebody has it: a worker, or whoever is about to put a delivery on it. New owners come by the map alone, which is locked.
fn is_used(lane: &Arc<Lane>) -> bool {
    Arc::strong_count(lane) > 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carry::failure::Failure;
    use crate::way::{Via, Way};

    fn way(connections: usize) -> Arc<PreparedWay> {
        let way = Way { connections, ..Via::Hold.into() };
        let resolver = dns::Resolver::new(&dns::Upstream::default()).unwrap();
        let sts = Arc::new(crate::resolve::StsPolicies::none());
        let tls_tally = Arc::new(crate::tls_tally::TlsTally::new(|| jiff::Timestamp::UNIX_EPOCH));
        let (hostname, resolver, sts, tls_tally) = ("mail.example.org", &resolver, &sts, &tls_tally);
        let surroundings = crate::transport::Surroundings { hostname, resolver, sts, tls_tally };
        PreparedWay::new(&way, surroundings, &[]).unwrap()
    }

    fn lanes() -> Lanes {
        Lanes::new(Arc::default())
    }

    #[test]
    fn there_are_so_many_lanes_however_many_destinations_there_are() {
        let (lanes, way) = (lanes(), way(20));
        let mut kept: Vec<_> = (0..LANES).map(|n| lanes.find_or_make(&n.to_string().into(), &way)).collect();
        assert_eq!(lanes.room(), 0);
        // Of one message, or of several that are committed together: each lane is counted before there is mail on it.
        let made =
            (LANES..LANES + 1500).filter(|n| lanes.make_for_new_mail(&n.to_string().into(), &way)).count();
        assert_eq!((made, lanes.make_for_new_mail(&"1".into(), &way)), (1000, true));
        for n in LANES..LANES_WITH_NEW_MAIL {
            kept.push(lanes.find_or_make(&n.to_string().into(), &way));
        }
        assert!(lanes.room() == 0 && !lanes.make_for_new_mail(&"new".into(), &way));
        kept.truncate(10);
        assert_eq!(
            (lanes.room(), lanes.make_for_new_mail(&"new".into(), &way)),
            (LANES - 10, true),
            "nobody used them"
        );
    }

    #[test]
    fn a_lane_that_is_idle_is_dropped_after_a_while() {
        let (lanes, way, there) = (lanes(), way(20), Destination::from("there"));
        let (lane, _) = lanes.find_or_make(&there, &way);
        lanes.drop_idle();
        lanes.drop_idle();
        assert!(lanes.find(&there, &way).is_some(), "a worker has it");
        drop(lane);
        lanes.drop_idle();
        assert!(lanes.find(&there, &way).is_none());
        drop(lanes.find_or_make(&there, &way));
        lanes.drop_idle();
        assert!(lanes.find(&there, &way).is_some(), "it was used");
    }

    #[test]
    fn a_lane_whose_host_does_not_answer_gives_way_to_others() {
        let (lanes, way) = (lanes(), way(20));
        let kept: Vec<_> = (0..LANES).map(|n| lanes.find_or_make(&n.to_string().into(), &way).0).collect();
        assert!(lanes.give_way(3).is_empty(), "they were not tried yet");
        kept.iter().for_each(|lane| _ = lane.note(HostState::Fails(Failure::just_now())));
        assert_eq!((lanes.give_way(3).len(), lanes.room()), (3, 3));
        kept.iter().for_each(|lane| _ = lane.note(HostState::Answers));
        assert!(lanes.give_way(3).is_empty());
    }

    #[test]
    fn whether_a_host_answers_is_remembered_for_longer_than_its_lane() {
        let (lanes, way, there) = (lanes(), way(20), Destination::from("there"));
        drop(lanes.find_or_make(&there, &way));
        lanes.remember(&there, HostState::Answers);
        lanes.drop_idle();
        lanes.drop_idle();
        assert!(lanes.find(&there, &way).is_none());
        assert!(lanes.find_or_make(&there, &way).0.host_state().answers());
    }

    #[test]
    fn a_lane_is_of_one_way() {
        let (lanes, old, new, there) = (lanes(), way(20), way(5), Destination::from("there"));
        let (lane, _) = lanes.find_or_make(&there, &old);
        assert!(lanes.find(&there, &new).is_none());
        let (other, replaced) = lanes.find_or_make(&there, &new);
        assert!(replaced.is_some_and(|replaced| Arc::ptr_eq(&replaced, &lane)));
        drop(lanes.find_or_make(&"here".into(), &old));
        let wrong = lanes.sort_out(|_, lane| lane.is_on(&new));
        assert_eq!(wrong.len(), 1);
        assert!(lanes.find(&there, &new).is_some_and(|lane| Arc::ptr_eq(&lane, &other)));
    }
}
