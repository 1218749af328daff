//! What whoever has sent a message does about it: takes it back before it leaves, or stops it for those who do not have it.

use store::{Act, LedgerState, Operation, RecipientState, Spool as _};
use types::QueueId;

use super::operate::Operated;
use crate::{Desk, Missing, Trouble};

impl Desk {
    /// Takes a message back whole: nothing of it was sent, and nobody is told.
    ///
    /// # Errors
    /// [`Trouble::TooLate`], [`Trouble::Done`], [`Trouble::Withheld`], [`Missing::SentMessage`].
    pub async fn undo_message(&self, act: &Act, id: QueueId) -> Result<(), Trouble> {
        match self.withdraw(act, Operation::Undo, id).await? {
            true => Ok(()),
            false => Err(self.why_not_undone(id).await?),
        }
    }

    /// Stops a message for those who do not have it yet, and nobody is told. A transfer that is under way ends.
    ///
    /// # Errors
    /// [`Trouble::Done`] if nobody waits for it, [`Trouble::Withheld`], [`Missing::SentMessage`].
    pub async fn stop_message(&self, act: &Act, id: QueueId) -> Result<(), Trouble> {
        match self.withdraw(act, Operation::Stop, id).await? {
            true => Ok(()),
            false => Err(self.why_not_stopped(id).await?),
        }
    }

    /// Whether it was done.
    async fn withdraw(&self, act: &Act, operation: Operation, id: QueueId) -> Result<bool, Trouble> {
        let mut operated = Operated::default();
        self.perform(act, operation, &[id], &mut operated).await?;
        Ok(!operated.done.is_empty())
    }

    async fn why_not_undone(&self, id: QueueId) -> Result<Trouble, Trouble> {
        let Some(message) = self.spool.show(id).await? else { return self.why_done(id).await };
        if message.entry.held {
            return Ok(Trouble::Withheld(id));
        }
        let was_tried =
            |state: RecipientState, attempts: u32| attempts > 0 || state != RecipientState::Queued;
        let was_tried = message.recipients.iter().any(|one| was_tried(one.state, one.attempts));
        let reason = match was_tried {
            true => "it was sent already, or it was tried",
            false => "its time for that is over, or it had none (submission.undo), and it is on its way",
        };
        Ok(Trouble::TooLate { id, reason })
    }

    async fn why_not_stopped(&self, id: QueueId) -> Result<Trouble, Trouble> {
        match self.spool.show(id).await? {
            Some(message) if message.entry.held => Ok(Trouble::Withheld(id)),
            Some(_) | None => self.why_done(id).await,
        }
    }

    /// Why nobody waits for a message.
    async fn why_done(&self, id: QueueId) -> Result<Trouble, Trouble> {
        let Some(trace) = self.trace(id).await? else {
            return Ok(Missing::SentMessage(id.to_string()).into());
        };
        let reason = match trace.message.state {
            LedgerState::Cancelled => "it was taken back, stopped or removed before",
            LedgerState::Failed => "it was refused for good, or given up",
            // The ledger may not have heard of it yet.
            LedgerState::Delivered | LedgerState::Queued | LedgerState::Deferred | LedgerState::Held => {
                "everybody has it"
            }
        };
        Ok(Trouble::Done { id, reason })
    }
}
