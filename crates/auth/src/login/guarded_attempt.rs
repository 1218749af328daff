//! An attempt under guard: it is counted once, whichever backend judges it.

use std::future::Future;

use store::{Mark, Throttled};
use stores::Accounts;
use types::Secret;

use super::attempt::Origin;
use super::authenticator::Authenticator;
use super::claimed::Claimed;
use super::judgement::{Denial, Judgement};
use crate::guard::gate::Gate;
use crate::guard::network_slots::Slot;
use crate::password_hash::hasher::HashError;

/// An attempt under guard. Once [`enter`](Self::enter) has let it through, it counts as failed until it is settled otherwise.
pub(super) struct GuardedAttempt<'a> {
    authenticator: &'a Authenticator,
    claimed: &'a Claimed,
    origin: &'a Origin,
    /// The secret that was tried; the same one counts once.
    secret: &'a Secret,
    /// The gate, once it is needed.
    gate: Option<Gate<'a, Accounts>>,
    /// While the attempt is judged, its network has one slot less for others.
    slot: Option<Slot>,
    /// Whether the attempt is counted as failed, and nobody has found it right.
    counted: bool,
}

impl Authenticator {
    /// An attempt with this secret. The guard costs nothing until it is asked.
    pub(super) fn guarded<'a>(
        &'a self,
        claimed: &'a Claimed,
        origin: &'a Origin,
        secret: &'a Secret,
    ) -> GuardedAttempt<'a> {
        let (gate, slot, counted) = (None, None, false);
        GuardedAttempt { authenticator: self, claimed, origin, secret, gate, slot, counted }
    }

    /// Has something judged that nobody guesses, by `judged`, unless too much was wrong from its network. A refusal counts
    /// for the network alone.
    pub(super) async fn guarded_by_network<T>(
        &self,
        claimed: &Claimed,
        secret: &Secret,
        origin: &Origin,
        judged: impl Future<Output = Judgement<T>> + Send,
    ) -> Judgement<T> {
        let mark = self.blind_digests.of_attempt(&claimed.text(), secret);
        let policy = self.policy.load_full();
        let gate = Gate::before(&self.store, None, origin.network(), mark, &policy, self.now).await?;
        let_through(gate.look().await?)?;
        let _slot = self.network_slots.next(origin.network()).await.ok_or(HashError::Overloaded)?;
        // While this one waited for a slot, others may have failed.
        let_through(gate.look().await?)?;
        let judged = judged.await;
        if let Err(Denial::Refused(_)) = &judged {
            gate.wrong().await?;
        }
        judged
    }
}

impl<'a> GuardedAttempt<'a> {
    /// Whether the attempt may be judged, as things stand; nothing is counted. One that was let through already is not stopped
    /// any more: it may be the last one that there was room for.
    pub(super) async fn look(&mut self) -> Judgement<()> {
        if self.slot.is_some() {
            return Ok(());
        }
        let_through(self.gate().await?.look().await?)
    }

    /// Waits for a slot of its network, then counts the attempt, once, and lets it be judged.
    pub(super) async fn enter(&mut self) -> Judgement<()> {
        if self.slot.is_some() {
            return Ok(());
        }
        let slots = &self.authenticator.network_slots;
        let slot = slots.next(self.origin.network()).await.ok_or(HashError::Overloaded)?;
        // While this one waited, others of its network may have failed.
        self.look().await?;
        let_through(self.gate().await?.enter().await?)?;
        (self.slot, self.counted) = (Some(slot), true);
        Ok(())
    }

    /// Tells the gate how the attempt was judged.
    pub(super) async fn settle<T>(&mut self, judged: Judgement<T>) -> Judgement<T> {
        match &judged {
            Ok(_) | Err(Denial::NeedsCode(_)) => {
                self.gate().await?.right().await?;
                self.counted = false;
            }
            Err(Denial::Refused(_)) => self.gate().await?.wrong().await?,
            Err(Denial::Throttled(_) | Denial::Unavailable(_)) => {}
        }
        judged
    }

    /// Takes the attempt back from the counters: the user was found without guessing, though backends that were asked before did not
    /// know the user.
    pub(super) async fn end<T>(&mut self, found: T) -> Judgement<T> {
        if self.counted {
            self.gate().await?.no_guess().await?;
            self.counted = false;
        }
        Ok(found)
    }

    /// The blind digest that tells this attempt from others.
    pub(super) fn mark(&self) -> Mark {
        self.authenticator.blind_digests.of_attempt(&self.claimed.text(), self.secret)
    }

    async fn gate(&mut self) -> Result<&Gate<'a, Accounts>, store::Error> {
        let gate = match self.gate.take() {
            Some(gate) => gate,
            None => {
                let (authenticator, name) = (self.authenticator, self.claimed.name.as_ref().ok());
                let policy = authenticator.policy.load_full();
                let mark = self.mark();
                let (store, now) = (&authenticator.store, authenticator.now);
                Gate::before(store, name, self.origin.network(), mark, &policy, now).await?
            }
        };
        Ok(self.gate.insert(gate))
    }
}

fn let_through(throttled: Option<Throttled>) -> Judgement<()> {
    throttled.map_or(Ok(()), |throttled| Err(Denial::Throttled(throttled)))
}
