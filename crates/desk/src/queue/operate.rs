//! What operators do to messages in the queue, and telling the audit trail.

use std::collections::{HashMap, HashSet};

use store::{Accounts as _, Act, Action, Audit as _, AuditEvent, Operation, QueueFilter, Spool as _};
use types::QueueId;

use super::gone;
use super::hindrance::{HeldInPart, Hindrance};
use crate::audit::audited_name;
use crate::{Desk, Trouble};

/// How many messages are read by one statement, or changed in one transaction: in a moment in which the server does not wait long.
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
    /// What broke it off, if anything did: nothing was done to messages that stand in neither list. [`Trouble::NotAudited`] is
    /// about the last of those in `done`.
    pub broken_off: Option<Trouble>,
}

/// How many messages whoever asked for an operation has seen that it would be done to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// As many, and no other number.
    Exactly(usize),
    /// Not more; some may have left the queue meanwhile.
    AtMost(usize),
}

impl Expected {
    /// Sees that so many are as expected.
    ///
    /// # Errors
    /// [`Trouble::Unexpected`].
    pub fn see(self, found: usize) -> Result<(), Trouble> {
        let (is_expected, expected) = match self {
            Expected::Exactly(expected) => (found == expected, expected),
            Expected::AtMost(expected) => (found <= expected, expected),
        };
        if is_expected { Ok(()) } else { Err(Trouble::Unexpected { found, expected }) }
    }
}

impl Desk {
    /// Does it to every message that the filter lets through, if they are as many as expected.
    ///
    /// # Errors
    /// [`Trouble::Unexpected`], and as [`operate_on`](Self::operate_on).
    pub async fn operate_on_found(
        &self,
        act: &Act,
        operation: Operation,
        filter: &QueueFilter,
        expected: Expected,
    ) -> Result<Operated, Trouble> {
        let ids = self.find_messages(filter).await?;
        expected.see(ids.len())?;
        self.operate_on(act, operation, &ids).await
    }

    /// Does it to all these messages, each of which is named once, but for those that it would do nothing to. If the store fails when it has been done to some, the
    /// others are left, and [`Operated::broken_off`] says why.
    ///
    /// # Errors
    /// When the store fails before anything is done.
    pub async fn operate_on(
        &self,
        act: &Act,
        operation: Operation,
        ids: &[QueueId],
    ) -> Result<Operated, Trouble> {
        let (mut operated, mut free) = (Operated::default(), Vec::with_capacity(ids.len()));
        let mut hindrances = self.hindrances(operation, ids).await?;
        for id in ids {
            match hindrances.remove(id) {
                Some(Hindrance::Whole(trouble)) => {
                    operated.left.push(trouble);
                    continue;
                }
                Some(Hindrance::Partial(held)) => operated.partly.push(held),
                None => {}
            }
            free.push(*id);
        }
        for together in free.chunks(TOGETHER) {
            if let Err(trouble) = self.perform(act, operation, together, &mut operated).await {
                if operated.done.is_empty() {
                    return Err(trouble);
                }
                operated.broken_off = Some(trouble);
                break;
            }
        }
        Ok(operated)
    }

    /// What hinders an operation on these messages, for those that it is hindered on.
    async fn hindrances(
        &self,
        operation: Operation,
        ids: &[QueueId],
    ) -> Result<HashMap<QueueId, Hindrance>, Trouble> {
        let mut found = HashMap::new();
        if operation == Operation::Hold || operation.removes() {
            return Ok(found);
        }
        for together in ids.chunks(TOGETHER) {
            for message in self.spool.details(together).await? {
                let hindrance = Hindrance::find(operation, &message, &self.settings.routes);
                found.extend(hindrance.map(|hindrance| (message.entry.id, hindrance)));
            }
        }
        Ok(found)
    }

    /// Does it to some messages, tells to which, and enters it into the audit trail.
    pub(super) async fn perform(
        &self,
        act: &Act,
        operation: Operation,
        ids: &[QueueId],
        operated: &mut Operated,
    ) -> Result<(), Trouble> {
        let done = self.spool.operate(operation, ids.to_vec(), act).await?;
        let found: HashSet<QueueId> = done.iter().map(|done| done.id).collect();
        for done in done {
            self.accounts.note(AuditEvent::change(action(operation), audited_name(done.account), act));
            operated.done.push(done.id);
        }
        operated.left.extend(ids.iter().filter(|id| !found.contains(id)).copied().map(gone));
        self.accounts.flush().await.map_err(Trouble::NotAudited)
    }
}

fn action(operation: Operation) -> Action {
    match operation {
        Operation::Retry => Action::QueueRetry,
        Operation::Hold => Action::QueueHold,
        Operation::Release => Action::QueueRelease,
        Operation::Bounce => Action::QueueBounce,
        Operation::Remove => Action::QueueRemove,
        Operation::Undo => Action::MessageUndo,
        Operation::Stop => Action::MessageStop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_left_meanwhile_may_be_missing_and_nothing_may_have_come() {
        for (expected, found, is_expected) in [
            (Expected::Exactly(2), 2, true),
            (Expected::Exactly(2), 1, false),
            (Expected::AtMost(2), 2, true),
            (Expected::AtMost(2), 0, true),
            (Expected::AtMost(2), 3, false),
        ] {
            assert_eq!(expected.see(found).is_ok(), is_expected, "{expected:?} {found}");
        }
        let said = Expected::Exactly(2).see(1).unwrap_err();
        assert_eq!(
            (said.to_string().as_str(), said.code()),
            ("nothing is done: 1 message is found, not 2", "unexpected-number")
        );
    }
}
