//! What operators do to messages in the queue, and telling the audit trail.

use std::collections::HashSet;

use store::{Accounts as _, Act, Action, Audit as _, AuditEvent, Operation, Spool as _};
use types::QueueId;

use super::gone;
use super::hindrance::{HeldInPart, Hindrance};
use crate::audit::audited_name;
use crate::{Desk, Trouble};

/// How many messages are changed in one transaction: in a moment in which the server does not wait long.
const TOGETHER: usize = 200;

/// What came of an operation.
#[derive(Debug, Default)]
pub struct Operated {
    /// Messages that it was done to.
    pub done: Vec<QueueId>,
    /// Of those that it was done to in part, the recipients that it was not done for.
    pub partly: Vec<HeldInPart>,
    /// Why messages were left as they are.
    pub left: Vec<Trouble>,
}

impl Desk {
    /// Does it to all these messages, but for those that it would do nothing to.
    ///
    /// # Errors
    /// When the store fails; what was done until then is done.
    pub async fn operate_on(
        &self,
        act: &Act,
        operation: Operation,
        ids: &[QueueId],
    ) -> Result<Operated, Trouble> {
        let (mut operated, mut free) = (Operated::default(), Vec::with_capacity(ids.len()));
        for id in ids {
            match self.hindrance(operation, *id).await? {
                Some(Hindrance::Whole(trouble)) => {
                    operated.left.push(trouble);
                    continue;
                }
                Some(Hindrance::Partial(held)) => operated.partly.push(held),
                None => {}
            }
            free.push(*id);
        }
        operated.done = self.perform(act, operation, &free).await?;
        if operated.done.len() < free.len() {
            let done: HashSet<QueueId> = operated.done.iter().copied().collect();
            operated.left.extend(free.into_iter().filter(|id| !done.contains(id)).map(gone));
        }
        Ok(operated)
    }

    async fn hindrance(&self, operation: Operation, id: QueueId) -> Result<Option<Hindrance>, Trouble> {
        if matches!(operation, Operation::Hold | Operation::Remove) {
            return Ok(None);
        }
        let message = self.spool.show(id).await?;
        Ok(message.and_then(|message| Hindrance::find(operation, &message, &self.settings.routes)))
    }

    /// Does it, and enters it into the audit trail; says to which messages.
    async fn perform(
        &self,
        act: &Act,
        operation: Operation,
        ids: &[QueueId],
    ) -> Result<Vec<QueueId>, Trouble> {
        let mut all_done = Vec::with_capacity(ids.len());
        for ids in ids.chunks(TOGETHER) {
            for done in self.spool.operate(operation, ids.to_vec(), act).await? {
                self.accounts.note(AuditEvent::change(action(operation), audited_name(done.account), act));
                all_done.push(done.id);
            }
            self.accounts.flush().await.map_err(Trouble::NotAudited)?;
        }
        Ok(all_done)
    }
}

fn action(operation: Operation) -> Action {
    match operation {
        Operation::Retry => Action::QueueRetry,
        Operation::Hold => Action::QueueHold,
        Operation::Release => Action::QueueRelease,
        Operation::Remove => Action::QueueRemove,
    }
}
