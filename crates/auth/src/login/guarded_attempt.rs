//! One attempt's way through the gate: it is counted once, whichever backend judges it.

use std::future::Future;

use store::{Mark, Throttled};
use types::Secret;

use super::{Authenticator, Claimed, CredentialStore, Denial};
use crate::HashError;
use crate::guard::gate::Gate;
use crate::guard::network_slots::Turn;
use crate::login::attempt::Origin;

/// The way of one attempt. Who leaves it behind its [`enter`](Self::enter) has failed.
pub(super) struct Passage<'a, S> {
    judge: &'a Authenticator<S>,
    claimed: &'a Claimed,
    origin: &'a Origin,
    /// The same one counts once.
    secret: &'a Secret,
    gate: Option<Gate<'a, S>>,
    /// While the attempt is judged, its network has one place less to try others.
    turn: Option<Turn>,
    /// It is counted as failed, and nobody has found it right.
    counted: bool,
}

impl<S: CredentialStore> Authenticator<S> {
    /// The way of an attempt with this secret. It costs nothing as long as nobody takes it.
    pub(super) fn passage<'a>(
        &'a self,
        claimed: &'a Claimed,
        origin: &'a Origin,
        secret: &'a Secret,
    ) -> Passage<'a, S> {
        Passage { judge: self, claimed, origin, secret, gate: None, turn: None, counted: false }
    }

    /// Has something judged that nobody guesses, by `judged`, unless too much was wrong from its network. That it was
    /// refused counts for the network alone.
    pub(super) async fn as_network_may<T>(
        &self,
        claimed: &Claimed,
        secret: &Secret,
        origin: &Origin,
        judged: impl Future<Output = Result<T, Denial>> + Send,
    ) -> Result<T, Denial> {
        let mark = self.marks.mark(&claimed.text(), secret);
        let policy = self.policy.load_full();
        let gate = Gate::before(&*self.store, None, origin.network(), mark, &policy, self.now).await?;
        let_through(gate.look().await?)?;
        let _turn = self.turns.next(origin.network()).await.ok_or(HashError::Overloaded)?;
        // While this one waited, others may have failed.
        let_through(gate.look().await?)?;
        let judged = judged.await;
        if let Err(Denial::Refused(_)) = &judged {
            gate.wrong().await?;
        }
        judged
    }
}

impl<'a, S: CredentialStore> Passage<'a, S> {
    /// Whether the attempt may be judged, as things stand; nothing is counted. One that is let through already is not asked
    /// again: it may be the last one that there was room for.
    pub(super) async fn look(&mut self) -> Result<(), Denial> {
        if self.turn.is_some() {
            return Ok(());
        }
        let_through(self.gate().await?.look().await?)
    }

    /// Counts the attempt, once, and lets it be judged when it is its turn.
    pub(super) async fn enter(&mut self) -> Result<(), Denial> {
        if self.turn.is_some() {
            return Ok(());
        }
        let turn = self.judge.turns.next(self.origin.network()).await.ok_or(HashError::Overloaded)?;
        // While this one waited, others of its network may have failed.
        self.look().await?;
        let_through(self.gate().await?.enter().await?)?;
        (self.turn, self.counted) = (Some(turn), true);
        Ok(())
    }

    /// Tells the gate what came of it.
    pub(super) async fn settle<T>(&mut self, judged: Result<T, Denial>) -> Result<T, Denial> {
        match &judged {
            Ok(_) => {
                self.gate().await?.right().await?;
                self.counted = false;
            }
            Err(Denial::Refused(_)) => self.gate().await?.wrong().await?,
            Err(Denial::Throttled(_) | Denial::Unavailable(_)) => {}
        }
        judged
    }

    /// The user was found without guessing, whoever was asked before and did not know it.
    pub(super) async fn end<T>(&mut self, found: T) -> Result<T, Denial> {
        if self.counted {
            self.gate().await?.no_guess().await?;
            self.counted = false;
        }
        Ok(found)
    }

    /// What tells this attempt from others.
    pub(super) fn mark(&self) -> Mark {
        self.judge.marks.mark(&self.claimed.text(), self.secret)
    }

    async fn gate(&mut self) -> Result<&Gate<'a, S>, store::Error> {
        let gate = match self.gate.take() {
            Some(gate) => gate,
            None => {
                let (judge, name) = (self.judge, self.claimed.name.as_ref().ok());
                let policy = judge.policy.load_full();
                let mark = self.mark();
                Gate::before(&*judge.store, name, self.origin.network(), mark, &policy, judge.now).await?
            }
        };
        Ok(self.gate.insert(gate))
    }
}

fn let_through(throttled: Option<Throttled>) -> Result<(), Denial> {
    throttled.map_or(Ok(()), |throttled| Err(Denial::Throttled(throttled)))
}
