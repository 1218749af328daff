//! `gatepost user remove`: what becomes of an account's mail that is still in the queue is said before.

use desk::Desk;
use store::{Account, Operation};
use types::Mailbox;

use crate::cmd::queue::{complete, messages};
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

pub(super) async fn run(desk: &Desk, args: Remove) -> anyhow::Result<()> {
    let account = desk.find(&args.address).await?;
    let queued = desk.messages_of(&account).await?;
    confirm(&question(&account, queued.len(), args.hold_queued), args.yes)?;
    desk.remove_account(&actor::act(), &account).await?;
    let address = &account.address;
    output::line(&format!("{address} is removed"))?;
    // Once more: it may have sent until now.
    let queued = desk.messages_of(&account).await?;
    if queued.is_empty() {
        return Ok(());
    }
    if args.hold_queued {
        let held = desk.operate_on(&actor::act(), Operation::Hold, &queued).await?;
        output::line(&format!("{} held", messages(held.done.len(), "of its is", "of its are")))?;
        return complete(held, queued.len());
    }
    output::line(&format!(
        "{} still in the queue and will be delivered; `gatepost queue list --account {address}` shows them",
        messages(queued.len(), "of its is", "of its are")
    ))
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
