//! What the machines of one network have sent that need no login.

use std::sync::{Mutex, MutexGuard, PoisonError};

use esmtp::Rejection;
use jiff::Timestamp;
use store::{Amounts, Full, Ledger, Limit, Limits, Share};

use super::senders::Sender;
use super::tell::{self, Standing, Told};
use crate::no_login::Machine;

/// One network.
#[derive(Debug, Default)]
pub(super) struct Network(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    ledger: Ledger,
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
        let mut ledger = state.ledger;
        let room = ledger.take(wanted, limits, now);
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
        let taken = state.ledger.take(wanted, limits, clock());
        let State { ledger, told } = &mut *state;
        let near = told.newly_near(ledger, limits);
        near.into_iter().for_each(|(limit, at_most)| tell::near_limit(&machine, limit, at_most));
        taken.map_err(|full| state.refuse(machine, full))
    }

    pub(super) fn put_back(&self, taken: &Share) {
        self.state().ledger.give_back(taken);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refuse(&mut self, machine: Machine, full: Full) -> Rejection {
        self.told.refused(&machine, &full, self.ledger.windows.of(full.limit));
        tell::refusal(&full)
    }
}

impl Sender for Network {
    fn is_idle(&self, now: Timestamp) -> bool {
        self.state().ledger.is_idle(now)
    }
}

impl Standing for Ledger {
    fn counted(&self, limit: Limit) -> u32 {
        Ledger::counted(self).of(limit)
    }

    fn since(&self, limit: Limit) -> Timestamp {
        self.windows.of(limit)
    }
}
