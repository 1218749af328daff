//! How much machines may send that have not logged in: what an account may that has no limits of its own, for each
//! address (IPv4) or network (IPv6 /64). Nothing of it is written down, and whom they ever sent to is not known, so
//! there is no limit of new recipients; they reach few domains as it is.

use std::collections::HashSet;
use std::sync::Arc;

use esmtp::{Envelope, Rejection};
use store::{Limit, Limits, OwnLimits, Sent, network_of};
use types::ForwardPath;

use super::senders::Sender;
use super::{Counted, Quota, number};
use crate::no_login::Machine;

impl Quota {
    /// Whether the machine may begin another message.
    ///
    /// # Errors
    /// [`Rejection::SendingLimit`].
    pub(crate) fn machine_may_begin(&self, machine: Machine) -> Result<(), Rejection> {
        self.machine_has_room(machine, |limit| match limit {
            Limit::MessagesPerHour | Limit::MessagesPerDay => 1,
            Limit::RecipientsPerHour | Limit::RecipientsPerDay | Limit::NewRecipientsPerDay => 0,
        })
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
        self.machine_has_room(machine, |limit| match limit {
            Limit::RecipientsPerHour | Limit::RecipientsPerDay => recipients,
            Limit::MessagesPerHour | Limit::MessagesPerDay | Limit::NewRecipientsPerDay => 0,
        })
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
        let (sender, limits) = self.machine(machine);
        let taken = sender.take(&machine, &limits, number(envelope.recipients.len()), 0, self.now)?;
        Ok(Counted { quota: self, account: None, sender, recipients: HashSet::new(), taken: Some(taken) })
    }

    fn machine_has_room(&self, machine: Machine, more: impl Fn(Limit) -> u32) -> Result<(), Rejection> {
        let (sender, limits) = self.machine(machine);
        sender.room(&limits, more, (self.now)()).map_err(|full| sender.refuse(&machine, full))
    }

    fn machine(&self, machine: Machine) -> (Arc<Sender>, Limits) {
        let network = network_of(machine.address());
        let known = self.machines.get(network);
        let sender = known.unwrap_or_else(|| self.machines.insert(network, Sent::default(), (self.now)()));
        (sender, Limits { common: **self.common.load(), own: OwnLimits::default() })
    }
}
