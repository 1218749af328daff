//! `gatepost identity`: whom an account may send as besides itself.

use std::path::Path;

use desk::{Desk, view};
use types::{Mailbox, SenderPattern};

use crate::output::{self, Cell, Format, Listing};
use crate::{actor, open};

/// What the identity `*` comes to.
const IN_ANY_NAME: &str = "the account can send in anybody's name";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Let an account send as somebody else, too; what it has open may do so at once
    Add {
        /// The account
        address: Mailbox,
        /// Whom it may send as: an address, *@example.org for every address there, or * for anybody
        sender: SenderPattern,
        #[command(flatten)]
        format: Format,
    },
    /// List whom an account may send as besides itself
    List {
        /// The account
        address: Mailbox,
        #[command(flatten)]
        format: Format,
    },
    /// Let an account no longer send as somebody else
    Remove {
        /// The account
        address: Mailbox,
        /// As `list` shows it
        sender: SenderPattern,
    },
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let desk = open::desk(&config, &store);
    let done = match command {
        Command::Add { address, sender, format } => add(&desk, &address, sender, format).await,
        Command::List { address, format } => list(&desk, &address, format).await,
        Command::Remove { address, sender } => remove(&desk, &address, &sender).await,
    };
    store.close().await;
    done
}

async fn add(desk: &Desk, address: &Mailbox, sender: SenderPattern, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let (identity, is_an_account) = desk.allow_sender(&actor::act(), &account, sender).await?;
    let may = |view: &view::Identity| format!("{} may send as {}", account.address, view.sender);
    format.print(&identity, may)?;
    if is_an_account {
        format.remark(&format!("{} has an account of its own; both may send as it now", identity.sender));
    }
    if is_anybody(&identity) {
        format.remark(&format!("warning: {IN_ANY_NAME}; give `*` to list managers and redirects alone"));
    }
    Ok(())
}

async fn list(desk: &Desk, address: &Mailbox, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let listing = Listing::new(format, ["SENDER", "CREATED"]);
    listing.pages(async |page| desk.senders(&account, page).await, row).await
}

fn row(view: &view::Identity) -> [Cell; 2] {
    [for_people(view).into(), output::time(view.created_at).into()]
}

async fn remove(desk: &Desk, address: &Mailbox, sender: &SenderPattern) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    desk.forbid_sender(&actor::act(), &account, sender).await?;
    output::line(&format!("{} may no longer send as {sender}", account.address))
}

fn is_anybody(identity: &view::Identity) -> bool {
    identity.sender == "*"
}

fn for_people(identity: &view::Identity) -> String {
    if is_anybody(identity) { format!("* (warning: {IN_ANY_NAME})") } else { identity.sender.clone() }
}
