//! What whoever has sent a message does about it: takes it back before it leaves, or stops it for those who do not have it.

use store::{Act, Operation, RecipientState, Spool as _};
use types::QueueId;

use super::gone;
use super::operate::Operated;
use crate::{Desk, Trouble};

impl Desk {
    /// Takes a message back whole: nothing of it was sent, and nobody is told.
    ///
    /// # Errors
    /// [`Trouble::TooLate`], [`Trouble::Held`], [`Missing::Message`](crate::Missing::Message).
    pub async fn undo_message(&self, act: &Act, id: QueueId) -> Result<(), Trouble> {
        match self.withdraw(act, Operation::Undo, id).await? {
            true => Ok(()),
            false => Err(self.why_not_undone(id).await?),
        }
    }

    /// Stops a message for those who do not have it yet, and nobody is told. A transfer that is under way ends.
    ///
    /// # Errors
    /// [`Missing::Message`](crate::Missing::Message) if it waits for nobody.
    pub async fn stop_message(&self, act: &Act, id: QueueId) -> Result<(), Trouble> {
        match self.withdraw(act, Operation::Stop, id).await? {
            true => Ok(()),
            false => Err(gone(id)),
        }
    }

    /// Whether it was done.
    async fn withdraw(&self, act: &Act, operation: Operation, id: QueueId) -> Result<bool, Trouble> {
        let mut operated = Operated::default();
        self.perform(act, operation, &[id], &mut operated).await?;
        Ok(!operated.done.is_empty())
    }

    async fn why_not_undone(&self, id: QueueId) -> Result<Trouble, Trouble> {
        let Some(message) = self.spool.show(id).await? else { return Ok(gone(id)) };
        if message.entry.held {
            return Ok(Trouble::Held(id));
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
}
