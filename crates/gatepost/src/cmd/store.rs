//! `gatepost store`: the store as a whole.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use config::Config;
use serde::Serialize;
use store::{Action, Audit as _, AuditEvent};
use stores::{Integrity, Migrated, Store};

use crate::output::Format;
use crate::{actor, open};

mod backup;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Bring the store of an older version up to date while no server runs; a server does so when it starts
    Migrate {
        #[command(flatten)]
        format: Format,
    },
    /// Copy the store into a new directory, which can be served from; a server may be running
    Backup {
        /// The directory; it must not be there yet, or be empty
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        #[command(flatten)]
        format: Format,
    },
    /// Check both databases, and read every message in the queue; a server may be running
    ///
    /// The exit code is 1 if there is a fault, or something may be missing that is not accepted.
    Check {
        /// Go on without what may be missing since a database was found behind its last commit
        #[arg(long)]
        accept: bool,
        #[command(flatten)]
        format: Format,
    },
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When there is none, or it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let loaded = Config::load(config)?;
    open::existing(&loaded.storage.directory)?;
    match command {
        Command::Migrate { format } => migrate(&loaded, format).await,
        Command::Backup { directory, format } => backup::run(&loaded, &directory, format).await,
        Command::Check { accept, format } => check(config, accept, format).await,
    }
}

async fn migrate(config: &Config, format: Format) -> anyhow::Result<()> {
    let migrated = open::migrate(&config.storage.directory).await?;
    let databases: Vec<Migration> = migrated.iter().map(Migration::of).collect();
    format.print(&databases, |databases| databases.iter().map(Migration::told).collect::<Vec<_>>().join("\n"))
}

/// What was done to a database, as `--json` shows it.
#[derive(Serialize)]
struct Migration {
    database: &'static str,
    from: i64,
    to: i64,
}

impl Migration {
    fn of(migrated: &Migrated) -> Self {
        Self { database: migrated.database, from: migrated.from, to: migrated.to }
    }

    fn told(&self) -> String {
        let Self { database, from, to } = self;
        match from == to {
            true => format!("{database} has version {to} already"),
            false => format!("{database} is migrated from version {from} to {to}"),
        }
    }
}

/// What was found, as `--json` shows it.
#[derive(Serialize)]
struct Findings {
    messages: u64,
    faults: Vec<String>,
    accepted: Vec<String>,
}

impl Findings {
    fn told(&self, directory: &Path) -> String {
        let accepted = self.accepted.iter().map(|loss| format!("accepted: {loss}"));
        let faults = self.faults.iter().map(|fault| format!("fault: {fault}"));
        let (directory, messages) = (directory.display(), self.messages);
        let whole = format!("the store {directory} is whole; messages in its queue: {messages}");
        let whole = self.faults.is_empty().then_some(whole);
        accepted.chain(faults).chain(whole).collect::<Vec<_>>().join("\n")
    }
}

async fn check(config: &Path, accept: bool, format: Format) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let found = store.integrity().await;
    let losses = store.losses();
    let accepted = if accept && !losses.is_empty() { accept_losses(&store).await } else { Ok(()) };
    store.close().await;
    accepted?;
    let Integrity { messages, mut faults } = found?;
    let accepted = if accept { losses.clone() } else { Vec::new() };
    let is_behind = !accept && !losses.is_empty();
    if is_behind {
        faults.splice(0..0, losses);
    }
    let findings = Findings { messages, faults, accepted };
    let directory = config.storage.directory.display();
    format.print(&findings, |findings| findings.told(&config.storage.directory))?;
    if is_behind {
        bail!(
            "the store {directory} may lack what was confirmed: put back a backup that has it, or go on without it by \
             `gatepost store check --accept`; until then refused logins are deferred, and no file of a message is removed"
        );
    }
    if !findings.faults.is_empty() {
        bail!(
            "the store {directory} is damaged: put back a backup, or, if only messages are, look at each with \
             `gatepost queue show` and remove it"
        );
    }
    Ok(())
}

/// Accepts what may be missing, and has it in the audit trail who did.
async fn accept_losses(store: &Store) -> anyhow::Result<()> {
    let event = AuditEvent::success(Action::StoreAccept, &actor::act());
    store
        .accounts()
        .record(&event)
        .await
        .context("nothing is accepted: the audit trail cannot be written")?;
    store.accept_losses().context("what may be missing cannot be accepted")
}
