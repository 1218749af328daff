//! `gatepost queue`: what has been accepted and is not yet delivered.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;
use store::{Operation, Spool, Stats};

use crate::output::{self, Format};
use crate::{clock, open};

use self::filter::Filter;
use self::identifier::Identifier;
use self::operate::Which;

pub(crate) use self::operate::{Operator, messages};

mod identifier;
mod filter;
mod view;
mod list;
mod show;
mod operate;
mod hindrance;

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
    /// Try messages again now, also at recipients that were refused for good
    Retry(Which),
    /// Keep messages from being delivered until they are released
    Hold(Which),
    /// Let held messages go
    Release(Which),
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
    let (spool, accounts) = (store.spool(), store.accounts());
    let operator = Operator::new(spool, accounts, &config);
    let done = match command {
        Command::List { filter, format } => {
            let default_domain = config.auth.default_domain.as_ref();
            list::run(spool, &filter.meaning(accounts, default_domain, clock::now()).await?, format).await
        }
        Command::Show { id, format } => show::run(spool, &id, format).await,
        Command::Retry(which) => operator.run(Operation::Retry, which).await,
        Command::Hold(which) => operator.run(Operation::Hold, which).await,
        Command::Release(which) => operator.run(Operation::Release, which).await,
        Command::Remove(which) => operator.run(Operation::Remove, which).await,
        Command::Stats { format } => stats(spool, format).await,
    };
    store.close().await;
    done
}

async fn stats(spool: &impl Spool, format: Format) -> anyhow::Result<()> {
    format.print(&StatsView::of(&spool.stats().await?), |stats| {
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

/// The figures as `--json` shows them: messages and octets, then recipients by state.
#[derive(Serialize)]
struct StatsView {
    entries: u64,
    octets: u64,
    queued: u64,
    deferred: u64,
    held: u64,
    failed: u64,
    oldest_accepted_at: Option<Timestamp>,
}

impl StatsView {
    fn of(stats: &Stats) -> Self {
        let Stats { entries, octets, queued, deferred, held, failed, oldest } = *stats;
        Self { entries, octets, queued, deferred, held, failed, oldest_accepted_at: oldest }
    }
}
