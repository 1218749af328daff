//! What the machines of one network have sent that need no login.

use std::sync::{Mutex, MutexGuard, PoisonError};

use esmtp::Rejection;
use jiff::Timestamp;
use store::{Amounts, Full, Limit, Limits, Share, Usage};

use super::senders::Sender;
use super::tell::{self, Standing, Told};
use crate::no_login::Machine;

/// One network.
#[derive(Debug, Default)]
pub(super) struct Network(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    usage: Usage,
    told: Told,
}

impl Network {
    pub(super) fn has_room(
        &self,
        machine: Machine,
        wanted: &Amounts,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        let mut state = self.state();
        let mut usage = state.usage;
        let room = usage.take(wanted, limits, now);
        room.map(drop).map_err(|full| state.refuse(machine, full))
    }

    /// Counts a message. The clock is read once nobody else can, so that time passes here in one direction.
    pub(super) fn take(
        &self,
        machine: Machine,
        wanted: &Amounts,
        limits: &Limits,
        clock: fn() -> Timestamp,
    ) -> Result<Share, Rejection> {
        let mut state = self.state();
        let taken = state.usage.take(wanted, limits, clock());
        let State { usage, told } = &mut *state;
        let near = told.newly_near(usage, limits);
        near.into_iter().for_each(|(limit, at_most)| tell::near_limit(&machine, limit, at_most));
        taken.map_err(|full| state.refuse(machine, full))
    }

    pub(super) fn put_back(&self, taken: &Share) {
        self.state().usage.give_back(taken);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refuse(&mut self, machine: Machine, full: Full) -> Rejection {
        self.told.refused(&machine, &full, self.usage.windows.of(full.limit));
        tell::refusal(&full)
    }
}

impl Sender for Network {
    fn is_idle(&self, now: Timestamp) -> bool {
        self.state().usage.is_idle(now)
    }
}

impl Standing for Usage {
    fn counted(&self, limit: Limit) -> u32 {
        Usage::counted(self).of(limit)
    }

    fn since(&self, limit: Limit) -> Timestamp {
        self.windows.of(limit)
    }
}
