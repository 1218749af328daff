//! `gatepost message`: what was sent, for whoever has sent it.

use std::path::Path;

use desk::Desk;

use crate::{actor, open, output};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Take a message back before it leaves, as long as that is possible (submission.undo)
    Undo(Named),
    /// Stop a message for those who do not have it yet; nobody is told
    Stop(Named),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// The message: its identifier or its Message-ID; either may be cut short
    #[arg(value_name = "ID")]
    name: String,
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let desk = open::desk(&config, &store);
    let done = match command {
        Command::Undo(Named { name }) => undo(&desk, &name).await,
        Command::Stop(Named { name }) => stop(&desk, &name).await,
    };
    store.close().await;
    done
}

async fn undo(desk: &Desk, name: &str) -> anyhow::Result<()> {
    let id = desk.find_named(name).await?;
    desk.undo_message(&actor::act(), id).await?;
    output::line(&format!("{id} is taken back"))
}

async fn stop(desk: &Desk, name: &str) -> anyhow::Result<()> {
    let id = desk.find_named(name).await?;
    desk.stop_message(&actor::act(), id).await?;
    output::line(&format!("{id} is stopped"))
}
