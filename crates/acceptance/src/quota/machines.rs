//! How much machines may send that have not logged in: what an account may that has no limits of its own, for each
//! address (IPv4) or network (IPv6 /64). Nothing of it is written down, and whom they ever sent to is not known, so
//! there is no limit of new recipients; they reach few domains as it is.

use std::collections::HashSet;
use std::sync::Arc;

use esmtp::{Envelope, Rejection};
use store::{Amounts, Limits, OwnLimits, network_of};
use types::ForwardPath;

use super::network::Network;
use super::{Counted, Quota, Who, number};
use crate::no_login::Machine;

impl Quota {
    /// Whether the machine may begin another message.
    ///
    /// # Errors
    /// [`Rejection::SendingLimit`].
    pub(crate) fn machine_may_begin(&self, machine: Machine) -> Result<(), Rejection> {
        self.machine_has_room(machine, &Amounts::of_message(0, 0))
    }

    /// Whether the machine may add this recipient to the envelope. One that is there already is no other.
    ///
    /// # Errors
    /// [`Rejection::SendingLimit`].
    pub(crate) fn machine_may_add(
        &self,
        machine: Machine,
        envelope: &Envelope,
        path: &ForwardPath,
    ) -> Result<(), Rejection> {
        if envelope.goes_to(path) {
            return Ok(());
        }
        let recipients = number(envelope.recipients.len()).saturating_add(1);
        self.machine_has_room(machine, &Amounts::of_recipients(recipients, 0))
    }

    /// Counts a complete message of a machine.
    ///
    /// # Errors
    /// [`Rejection::SendingLimit`]; then nothing is counted.
    pub(crate) fn take_of_machine(
        &self,
        machine: Machine,
        envelope: &Envelope,
    ) -> Result<Counted<'_>, Rejection> {
        let (network, limits) = (self.network(machine), self.limits_of_machines());
        let wanted = Amounts::of_message(number(envelope.recipients.len()), 0);
        let taken = network.take(machine, &wanted, &limits, self.now)?;
        Ok(Counted {
            quota: self,
            who: Who::Network(network),
            recipients: HashSet::new(),
            taken: Some(taken),
        })
    }

    fn machine_has_room(&self, machine: Machine, wanted: &Amounts) -> Result<(), Rejection> {
        self.network(machine).has_room(machine, wanted, &self.limits_of_machines(), (self.now)())
    }

    fn network(&self, machine: Machine) -> Arc<Network> {
        self.machines.of(network_of(machine.address()), (self.now)())
    }

    fn limits_of_machines(&self) -> Limits {
        Limits { common: **self.common.load(), own: OwnLimits::default() }
    }
}
