//! `gatepost identity`: whom an account may send as besides itself.

use std::path::Path;

use anyhow::bail;
use jiff::Timestamp;
use serde::Serialize;
use store::{Account, Accounts, Identities, Identity};
use types::{Mailbox, SenderPattern};

use crate::cmd::user::find;
use crate::output::{self, Format};
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
    let (_, store) = open::store(config).await?;
    let accounts = store.accounts();
    let done = match command {
        Command::Add { address, sender, format } => add(accounts, &address, sender, format).await,
        Command::List { address, format } => list(accounts, &address, format).await,
        Command::Remove { address, sender } => remove(accounts, &address, &sender).await,
    };
    store.close().await;
    done
}

async fn add(
    store: &(impl Accounts + Identities),
    address: &Mailbox,
    sender: SenderPattern,
    format: Format,
) -> anyhow::Result<()> {
    let account = find(store, address).await?;
    if sender.normal() == account.address.normal() {
        bail!("{} is the account's own address, which needs none", account.address);
    }
    let other = namesake(store, &sender).await?;
    let act = actor::act();
    let identity = Identity { sender, created_at: act.at };
    match store.add_identity(account.id, &identity, &act).await {
        Err(store::Error::AlreadyExists) => bail!("{address} may send as {} already", identity.sender),
        added => added?,
    }
    let may = |view: &View| format!("{} may send as {}", account.address, view.sender);
    format.print(&View::of(&identity), may)?;
    if other.is_some() {
        format.remark(&format!("{} has an account of its own; both may send as it now", identity.sender));
    }
    if identity.sender == SenderPattern::Any {
        format.remark(&format!("warning: {IN_ANY_NAME}; give `*` to list managers and redirects alone"));
    }
    Ok(())
}

/// The account whose address this is.
async fn namesake(store: &impl Accounts, sender: &SenderPattern) -> Result<Option<Account>, store::Error> {
    match sender {
        SenderPattern::Address(address) => store.by_address(address).await,
        SenderPattern::Domain(_) | SenderPattern::Any => Ok(None),
    }
}

async fn list(store: &(impl Accounts + Identities), address: &Mailbox, format: Format) -> anyhow::Result<()> {
    let account = find(store, address).await?;
    let views: Vec<View> = store.identities(account.id).await?.iter().map(View::of).collect();
    format.print(&views, |views| {
        let rows = views.iter().map(|view| [view.for_people(), output::time(view.created_at)]);
        output::table(["SENDER", "CREATED"], rows)
    })
}

async fn remove(
    store: &(impl Accounts + Identities),
    address: &Mailbox,
    sender: &SenderPattern,
) -> anyhow::Result<()> {
    let account = find(store, address).await?;
    if !store.remove_identity(account.id, sender, &actor::act()).await? {
        bail!("{address} has no identity {sender}; `gatepost identity list {address}` shows those there are");
    }
    output::line(&format!("{} may no longer send as {sender}", account.address))
}

/// An identity as `--json` shows it.
#[derive(Serialize)]
struct View {
    sender: String,
    created_at: Timestamp,
}

impl View {
    fn of(identity: &Identity) -> Self {
        Self { sender: identity.sender.to_string(), created_at: identity.created_at }
    }

    fn for_people(&self) -> String {
        if self.sender == "*" { format!("* (warning: {IN_ANY_NAME})") } else { self.sender.clone() }
    }
}
