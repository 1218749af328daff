//! `gatepost queue`: what has been accepted and is not yet delivered.

use std::path::Path;

use desk::Desk;
use store::Operation;

use crate::output::{self, Format};
use crate::{clock, open};

use self::filter::Filter;
use self::identifier::Identifier;
use self::operate::Which;

pub(crate) use self::operate::{complete, messages};
pub(crate) use self::show::{sender, state};

mod identifier;
mod filter;
mod list;
mod show;
mod operate;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the messages, oldest first
    List {
        #[command(flatten)]
        filter: Filter,
        #[command(flatten)]
        format: Format,
    },
    /// Show a message and each of its recipients
    Show {
        /// The message; its identifier may be cut short
        id: Identifier,
        #[command(flatten)]
        format: Format,
    },
    /// Try messages again now, also at recipients that were refused for good and whose sender was not told so
    Retry(Which),
    /// Keep messages from being delivered until they are released
    Hold(Which),
    /// Let held messages go
    Release(Which),
    /// Return messages to their senders undelivered: no more attempts are made, and each sender is told that an administrator returned it.
    /// The server does so within seconds, or when it starts
    Bounce(Which),
    /// Remove messages undelivered; nobody is told
    Remove(Which),
    /// The queue in figures
    Stats {
        #[command(flatten)]
        format: Format,
    },
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let desk = open::desk(&config, &store);
    let default_domain = config.auth.default_domain.as_ref();
    let done = match command {
        Command::List { filter, format } => {
            list::run(&desk, &filter.meaning(&desk, default_domain, clock::now()).await?, format).await
        }
        Command::Show { id, format } => show::run(&desk, &id, format).await,
        Command::Retry(which) => operate::run(&desk, Operation::Retry, which, default_domain).await,
        Command::Hold(which) => operate::run(&desk, Operation::Hold, which, default_domain).await,
        Command::Release(which) => operate::run(&desk, Operation::Release, which, default_domain).await,
        Command::Bounce(which) => operate::run(&desk, Operation::Bounce, which, default_domain).await,
        Command::Remove(which) => operate::run(&desk, Operation::Remove, which, default_domain).await,
        Command::Stats { format } => stats(&desk, format).await,
    };
    store.close().await;
    done
}

async fn stats(desk: &Desk, format: Format) -> anyhow::Result<()> {
    format.print(&desk.queue_stats().await?, |stats| {
        output::fields([
            ("messages", stats.entries.to_string()),
            ("octets", stats.octets.to_string()),
            ("queued", stats.queued.to_string()),
            ("deferred", stats.deferred.to_string()),
            ("held", stats.held.to_string()),
            ("failed", stats.failed.to_string()),
            ("oldest", output::time_or(stats.oldest_accepted_at, "-")),
        ])
    })
}
