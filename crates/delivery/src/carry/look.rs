//! A look at the queue: what is due is leased, as much as there is room for.
//!
//! However many destinations wait, a look sees so many at most, and leases to those first that have waited longest; behind them to those
//! whose host did not answer at the last attempt, first to the one that was tried longest ago. If more wait, they take turns: the next
//! look begins behind the last destination that this one has seen. What a failure counts for is leased apart, as it waits for no attempt.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::{Destination, Leased, Page, Spool, SpoolError, Waiting};
use tokio::time::Instant;

use super::Carrier;
use super::failure::Failure;
use super::host_state::HostState;
use super::lane::Lane;
use super::rounds::{POLL, Round, Rounds, TICK};
use crate::parcel::Parcel;

/// Deliveries to one destination leased by one statement.
const BATCH: usize = 500;
/// Destinations in one look at the queue. If more wait, they take turns.
const DESTINATIONS: u32 = 500;
/// Destinations whose backlog is leased by one look, each by a statement of its own.
const BACKLOGS: usize = 20;
/// Deliveries in hand. While there are more, each lane has its share alone, however much waits for it.
pub(super) const IN_HAND: usize = 20_000;
/// How often it is looked for what a clock ahead has set.
const CLOCK_CHECK: Duration = Duration::from_secs(10);
/// How often lanes that were not used in the meantime are dropped.
const LANES_CHECK: Duration = Duration::from_secs(60);
/// What is due within this time is not taken for the work of a clock ahead, however short the schedule is.
const PATIENCE: SignedDuration = SignedDuration::from_hours(12);

impl<S: Spool> Carrier<S> {
    /// A look at the queue; how long to wait until the next.
    pub(super) async fn look(self: &Arc<Self>, rounds: &mut Rounds) -> Result<Duration, SpoolError> {
        let kept = rounds.membership.keep(&*self.spool, &self.in_hand).await;
        self.tried_to_join.cancel();
        kept?;
        self.open.store(true, Ordering::Release);
        if is_over(&mut rounds.lanes_checked, LANES_CHECK) {
            self.lanes.drop_idle();
        }
        if is_over(&mut rounds.clock_checked, CLOCK_CHECK) {
            self.bring_forward().await.inspect_err(|_| rounds.clock_checked = None)?;
        }
        self.lease_what_is_due(&mut rounds.round).await
    }

    /// What is due later than any schedule has it was set by a clock that was ahead. It is due now.
    async fn bring_forward(&self) -> Result<(), SpoolError> {
        let now = (self.settings.now)();
        let longest =
            SignedDuration::try_from(self.ways.load().longest_wait()).unwrap_or(SignedDuration::MAX);
        let latest = now.checked_add(longest.max(PATIENCE)).unwrap_or(Timestamp::MAX);
        if self.spool.bring_forward(latest, now).await? {
            tracing::warn!(
                event = "spool.brought-forward",
                "mail that a clock ahead has put off further than any schedule is due now"
            );
        }
        Ok(())
    }

    /// Leases as much as the lanes have room for; how long to wait until there may be more.
    async fn lease_what_is_due(self: &Arc<Self>, round: &mut Round) -> Result<Duration, SpoolError> {
        loop {
            let now = (self.settings.now)();
            let next = self.spool.next_due().await?;
            if next.is_none_or(|due_at| due_at > now) {
                return Ok(wait_for(next, now));
            }
            let after = round.look();
            let from_the_first = after.is_none();
            let mut waiting = self.spool.waiting(Page { after, limit: DESTINATIONS }).await?;
            if waiting.len() >= usize::try_from(DESTINATIONS).unwrap_or(usize::MAX) {
                round.after = waiting.last().map(|waiting| waiting.destination.clone());
            }
            let failed =
                |waiting: &Waiting| Some(self.lanes.host_state(&waiting.destination).failure()?.ended);
            waiting.sort_by_cached_key(|waiting| (failed(waiting), waiting.due_at));
            let granted = self.grant(&waiting, now);
            for lane in self.lanes.give_way(granted.without_lane) {
                self.workers.spawn(self.clone().retire(lane));
            }
            let any_backlog = self.lease_backlogs(granted.backlogs, now).await?;
            let due = self.lease(granted.room, now).await?;
            if due.is_empty() && !any_backlog {
                let all_seen = from_the_first && round.after.is_none() && !granted.is_short;
                let rest = round.rest(granted.is_short);
                return Ok(if all_seen { until_next(&waiting, now) } else { rest });
            }
            round.any_leased = true;
            for leased in due {
                let moved = self.ways.load().moved(&leased);
                self.put_on_lane(Parcel::new(leased), moved);
            }
        }
    }

    async fn lease(&self, room: Vec<(Destination, u32)>, now: Timestamp) -> Result<Vec<Leased>, SpoolError> {
        if room.is_empty() { Ok(Vec::new()) } else { self.spool.lease_due(self.node, now, room).await }
    }

    /// Leases what was due when an attempt failed that counts for it; whether there was any.
    async fn lease_backlogs(
        self: &Arc<Self>,
        backlogs: Vec<Backlog>,
        now: Timestamp,
    ) -> Result<bool, SpoolError> {
        let mut any = false;
        for Backlog { destination, room, failure, until } in backlogs {
            for leased in self.lease(vec![(destination, room)], until.min(now)).await? {
                let moved = self.ways.load().moved(&leased);
                self.put_on_lane(Parcel { waits_since: failure.ended, ..Parcel::new(leased) }, moved);
                any = true;
            }
        }
        Ok(any)
    }

    /// How much is to be leased for each destination that something is due for, in this order.
    fn grant(&self, waiting: &[Waiting], now: Timestamp) -> Granted {
        let ways = self.ways.load();
        let mut granted = Granted {
            room: Vec::new(),
            backlogs: Vec::new(),
            is_short: false,
            without_lane: 0,
            is_crowded: self.in_hand.len() >= IN_HAND,
            lanes: self.lanes.room(),
            // A queue whose routes have all changed, or that an operator returns, is not in memory as a whole.
            most: BATCH.saturating_sub(self.beside_lanes.load(Ordering::Relaxed)),
        };
        for Waiting { destination, due_at } in waiting.iter().filter(|waiting| waiting.due_at <= now) {
            match ways.to(destination) {
                Some(way) => {
                    let lane = self.lanes.find(destination, way);
                    let host_state = self.lanes.host_state(destination);
                    let granted_apart =
                        granted.grant_backlog(destination, *due_at, lane.as_deref(), &host_state);
                    if !granted_apart {
                        granted.grant_lane(destination, lane.as_deref(), &host_state);
                    }
                }
                // What no route leads to any more is leased, too, to give it its new destinations.
                None => granted.grant(destination, granted.most),
            }
        }
        granted
    }
}

/// What may be leased of what waits for one destination, and has no attempt of its own.
#[derive(Debug)]
struct Backlog {
    destination: Destination,
    room: u32,
    /// What counts for it.
    failure: Failure,
    /// When all of it was due.
    until: Timestamp,
}

/// How much may be leased.
#[derive(Debug)]
struct Granted {
    room: Vec<(Destination, u32)>,
    backlogs: Vec<Backlog>,
    /// Whether something is due that there is no room for in all: nobody tells when there is some.
    is_short: bool,
    /// For how many destinations there may be no lane now, since there are so many.
    without_lane: usize,
    /// Whether so much is in hand that each lane gets its share alone.
    is_crowded: bool,
    /// How many more lanes there may be.
    lanes: usize,
    /// No destination gets more.
    most: usize,
}

impl Granted {
    /// Grants a destination what was due there when an attempt failed that counts for it; whether there is any.
    fn grant_backlog(
        &mut self,
        destination: &Destination,
        due_at: Timestamp,
        lane: Option<&Lane>,
        host_state: &HostState,
    ) -> bool {
        let Some(failure) = host_state.failure() else { return false };
        let Some(until) = failure.counts_until().filter(|until| due_at <= *until) else { return false };
        if lane.is_none() && self.lanes == 0 {
            return false;
        }
        if self.is_crowded || self.backlogs.len() >= BACKLOGS {
            self.is_short = true;
            return true;
        }
        let room = lane.map_or(self.most, Lane::backlog_room).min(self.most);
        if room > 0 {
            self.lanes -= usize::from(lane.is_none());
            let room = u32::try_from(room).unwrap_or_default();
            self.backlogs.push(Backlog {
                destination: destination.clone(),
                room,
                failure: failure.clone(),
                until,
            });
        }
        true
    }

    /// Grants a destination as much as its lane has room for, if there is a lane already. If its host does not answer, it gets one
    /// delivery that tells whether it does again; more once there is a lane, and if no others want its place.
    fn grant_lane(&mut self, destination: &Destination, lane: Option<&Lane>, host_state: &HostState) {
        let fails = host_state.failure().is_some();
        match lane {
            Some(_) if fails && self.lanes == 0 => self.is_short = true,
            Some(lane) if self.is_crowded => self.grant(destination, lane.share()),
            Some(lane) => self.grant(destination, lane.room()),
            None if self.is_crowded => self.is_short = true,
            None if self.lanes == 0 => (self.is_short, self.without_lane) = (true, self.without_lane + 1),
            None => {
                self.lanes -= 1;
                self.grant(destination, if fails { 1 } else { self.most });
            }
        }
    }

    fn grant(&mut self, destination: &Destination, room: usize) {
        let room = room.min(self.most);
        self.is_short |= self.is_crowded;
        if room > 0 {
            self.room.push((destination.clone(), u32::try_from(room).unwrap_or_default()));
        }
    }
}

/// Whether what is to be done so often is to be done again; it is done now then.
fn is_over(done: &mut Option<Instant>, every: Duration) -> bool {
    let is_over = done.is_none_or(|done| done.elapsed() >= every);
    if is_over {
        *done = Some(Instant::now());
    }
    is_over
}

/// When to look again. Destinations that something is due for are full, and wake us when they have room.
fn until_next(waiting: &[Waiting], now: Timestamp) -> Duration {
    wait_for(waiting.iter().map(|waiting| waiting.due_at).filter(|due_at| *due_at > now).min(), now)
}

/// How long to wait for what is due next.
fn wait_for(next: Option<Timestamp>, now: Timestamp) -> Duration {
    let wait = next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
    wait.unwrap_or(POLL).clamp(TICK, POLL)
}
