//! `gatepost message`: what was sent, for whoever has sent it.

use std::path::Path;

use desk::Desk;

use crate::output::{self, Format};
use crate::{actor, open};

mod list;
mod show;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List what was sent, newest first, also after delivery
    List(list::List),
    /// Show a message: how it came, what became of it for each recipient, and each attempt that failed
    Show {
        #[command(flatten)]
        named: Named,
        #[command(flatten)]
        format: Format,
    },
    /// Take a message back before it leaves, as long as that is possible (submission.undo)
    Undo(Named),
    /// Stop a message for those who do not have it yet; nobody is told
    Stop(Named),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// The message: its identifier or its Message-ID; either may be cut short, for `undo` and `stop` a Message-ID behind its `@`
    #[arg(value_name = "ID", value_parser = named)]
    name: String,
}

/// A name that says something: the only message of a queue begins with nothing, too, and an empty variable of a script must not stop it.
fn named(typed: &str) -> Result<String, &'static str> {
    match typed.trim().trim_start_matches('<') {
        "" => Err("a message is named by its identifier or its Message-ID, or by the beginning of either"),
        _ => Ok(typed.to_owned()),
    }
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let desk = open::desk(&config, &store);
    let done = match command {
        Command::List(args) => list::run(&desk, args, config.auth.default_domain.as_ref()).await,
        Command::Show { named, format } => show::run(&desk, &named.name, format).await,
        Command::Undo(Named { name }) => undo(&desk, &name).await,
        Command::Stop(Named { name }) => stop(&desk, &name).await,
    };
    store.close().await;
    done
}

async fn undo(desk: &Desk, name: &str) -> anyhow::Result<()> {
    let id = desk.find_waiting(name).await?;
    desk.undo_message(&actor::act(), id).await?;
    output::line(&format!("{id} is taken back"))
}

async fn stop(desk: &Desk, name: &str) -> anyhow::Result<()> {
    let id = desk.find_waiting(name).await?;
    desk.stop_message(&actor::act(), id).await?;
    output::line(&format!("{id} is stopped"))
}
