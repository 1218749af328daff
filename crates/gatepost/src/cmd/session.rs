//! `gatepost session`: who is signed in to an account in a browser.

use std::path::Path;

use desk::{Desk, view};
use types::Mailbox;

use crate::output::{self, Format};
use crate::printable::is_printable;
use crate::{actor, open};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the sessions of an account on the pages, newest first
    List {
        /// The account
        address: Mailbox,
        #[command(flatten)]
        format: Format,
    },
    /// End a session, or all of them: whoever used it has to sign in anew
    End {
        /// The account
        address: Mailbox,
        /// As `list` shows it, or the beginning of that; all sessions, if it is left out
        id: Option<String>,
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
        Command::List { address, format } => list(&desk, &address, format).await,
        Command::End { address, id: Some(id) } => end(&desk, &address, &id).await,
        Command::End { address, id: None } => end_all(&desk, &address).await,
    };
    store.close().await;
    done
}

async fn list(desk: &Desk, address: &Mailbox, format: Format) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let sessions = desk.sessions(&account, None).await?;
    format.print(&sessions, |sessions| {
        output::table(["ID", "BROWSER", "FROM", "SINCE", "LAST USED"], sessions.iter().map(row))
    })
}

fn row(view: &view::Session) -> [String; 5] {
    [
        view.id.clone(),
        view.agent.chars().map(|c| if is_printable(c) { c } else { '\u{fffd}' }).collect(),
        view.ip.to_string(),
        output::time(view.created_at),
        output::time(view.seen_at),
    ]
}

async fn end(desk: &Desk, address: &Mailbox, id: &str) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    desk.end_session(&actor::act(), &account, id).await?;
    output::line(&format!("the session {id} of {} is ended", account.address))
}

async fn end_all(desk: &Desk, address: &Mailbox) -> anyhow::Result<()> {
    let account = desk.find(address).await?;
    let ended = desk.end_sessions(&actor::act(), &account, None).await?;
    output::line(&format!("{ended} sessions of {} are ended", account.address))
}
