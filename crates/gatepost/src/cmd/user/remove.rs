//! `gatepost user remove`: what becomes of an account's mail that is still in the queue is said before.

use store::{Account, Accounts as _, Operation, QueueFilter, QueuedBy};
use store_sqlite::SqliteAccounts;
use types::{Mailbox, QueueId};

use crate::cmd::queue::{Operator, messages};
use crate::prompt::confirm;
use crate::{actor, output};

#[derive(Debug, clap::Args)]
pub(crate) struct Remove {
    /// The account
    address: Mailbox,
    /// Hold what it has in the queue
    #[arg(long)]
    hold_queued: bool,
    /// Don't ask
    #[arg(long, short)]
    yes: bool,
}

impl Remove {
    pub(super) fn address(&self) -> &Mailbox {
        &self.address
    }
}

pub(super) async fn run(
    store: &SqliteAccounts,
    operator: &Operator<'_>,
    account: &Account,
    args: Remove,
) -> anyhow::Result<()> {
    let queued = queued(operator, account).await?;
    confirm(&question(account, queued.len(), args.hold_queued), args.yes)?;
    store.remove(account.id, &actor::act()).await?;
    let address = &account.address;
    output::line(&format!("{address} is removed"))?;
    // Once more: it may have sent until now.
    let queued = self::queued(operator, account).await?;
    if queued.is_empty() {
        return Ok(());
    }
    if args.hold_queued {
        let held = operator.perform(Operation::Hold, &queued).await?;
        return output::line(&format!("{} held", messages(held.len(), "of its is", "of its are")));
    }
    output::line(&format!(
        "{} still in the queue and will be delivered; `gatepost queue list --account {address}` shows them",
        messages(queued.len(), "of its is", "of its are")
    ))
}

/// What the account has in the queue, under whichever address.
async fn queued(operator: &Operator<'_>, account: &Account) -> anyhow::Result<Vec<QueueId>> {
    let by = QueuedBy { account: Some(account.id), address: account.address.to_string() };
    operator.find(&QueueFilter { account: Some(by), ..QueueFilter::default() }).await
}

fn question(account: &Account, queued: usize, hold: bool) -> String {
    let mail = match (queued, hold) {
        (0, _) => String::new(),
        (queued, true) => {
            format!(" {} in the queue and will be held.", messages(queued, "of its is", "of its are"))
        }
        (queued, false) => format!(
            " {} in the queue and will still be delivered (--hold-queued holds them).",
            messages(queued, "of its is", "of its are")
        ),
    };
    format!("Remove {} and its app passwords?{mail}", account.address)
}

#[cfg(test)]
mod tests {
    use types::AccountId;

    use super::*;

    #[test]
    fn the_question_says_what_is_queued() {
        let (address, at) = (Mailbox::parse("alice@example.org"), "2026-11-21T12:00:00Z".parse());
        let account = Account::new(AccountId::from_bytes([1; 16]), address.unwrap(), at.unwrap());
        for (queued, hold, expected) in [
            (0, false, ""),
            (1, true, " 1 message of its is in the queue and will be held."),
            (
                3,
                false,
                " 3 messages of its are in the queue and will still be delivered (--hold-queued holds them).",
            ),
        ] {
            let expected = format!("Remove alice@example.org and its app passwords?{expected}");
            assert_eq!(question(&account, queued, hold), expected);
        }
    }
}
