//! `gatepost dkim`: the keys that sign the mail of a domain.

use std::path::Path;

use anyhow::Context as _;
use desk::{Desk, view};
use types::{DkimAlgorithm, DkimKeyName, DkimSelector, Domain};

use crate::output::{self, Cell, Format, Listing};
use crate::{actor, argument, open, sealed};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a key, and print its DNS record; it signs nothing before `activate`
    Generate {
        #[command(flatten)]
        key: Key,
        /// What it signs with; not every receiver knows ed25519 yet, so have a key of rsa beside it
        #[arg(long, value_parser = argument::dkim_algorithm(), default_value = "rsa")]
        algorithm: DkimAlgorithm,
        #[command(flatten)]
        format: Format,
    },
    /// List the keys of a domain, or all
    List {
        /// The domain
        #[arg(value_parser = argument::domain)]
        domain: Option<Domain>,
        #[command(flatten)]
        format: Format,
    },
    /// Have a key sign from the next message on, once its record is in the DNS; the domain's other key of its algorithm is retired
    Activate {
        #[command(flatten)]
        key: Key,
        #[command(flatten)]
        format: Format,
    },
    /// Have a key sign no longer
    Retire {
        #[command(flatten)]
        key: Key,
        /// Also wipe its private key for good: one that others may have, or that does not open
        #[arg(long)]
        wipe: bool,
        #[command(flatten)]
        format: Format,
    },
}

/// Which key.
#[derive(Debug, clap::Args)]
pub(crate) struct Key {
    /// Whose mail is signed; also that of domains below it that have no key of their own
    #[arg(value_parser = argument::domain)]
    domain: Domain,
    /// The name of the key, such as 2026a
    #[arg(long, value_name = "NAME", value_parser = argument::selector)]
    selector: DkimSelector,
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let desk = open::desk(&config, &store);
    let done = match command {
        Command::Generate { key, algorithm, format } => generate(&desk, key, algorithm, format).await,
        Command::List { domain, format } => list(&desk, domain.as_ref(), format).await,
        Command::Activate { key, format } => activate(&desk, key, format).await,
        Command::Retire { key, wipe, format } => retire(&desk, key, wipe, format).await,
    };
    store.close().await;
    done
}

impl Key {
    fn name(self) -> anyhow::Result<DkimKeyName> {
        DkimKeyName::new(&self.domain, self.selector)
            .context("selector and domain are too long together for the DNS; give a shorter selector")
    }
}

async fn generate(desk: &Desk, key: Key, algorithm: DkimAlgorithm, format: Format) -> anyhow::Result<()> {
    let (view, old) = desk.generate_dkim_key(&actor::act(), &key.name()?, algorithm).await?;
    format.print(&view, |view| view.record.to_string())?;
    format.remark(&format!(
        "publish this record, then have the key sign: `gatepost dkim activate {} --selector {}`",
        view.domain, view.selector
    ));
    sealed::tell_old_key(old);
    Ok(())
}

async fn list(desk: &Desk, domain: Option<&Domain>, format: Format) -> anyhow::Result<()> {
    let heading =
        ["DOMAIN", "SELECTOR", "ALGORITHM", "STATE", "CREATED", "SIGNS SINCE", "RETIRED", "RECORD UNTIL"];
    let listing = Listing::new(format, heading);
    listing.pages(async |page| desk.dkim_keys(domain, page).await, row).await
}

fn row(view: &view::DkimKey) -> [Cell; 8] {
    [
        view.domain.clone().into(),
        view.selector.clone().into(),
        view.algorithm.to_owned().into(),
        view.state.to_owned().into(),
        output::time(view.created_at).into(),
        output::time_or(view.activated_at, "-").into(),
        output::time_or(view.retired_at, "-").into(),
        output::time_or(view.record_until, "-").into(),
    ]
}

async fn activate(desk: &Desk, key: Key, format: Format) -> anyhow::Result<()> {
    let (view, replaced) = desk.start_signing_with(&actor::act(), &key.name()?).await?;
    format.print(&view, |view| format!("{} signs the mail of {}", view.selector, view.domain))?;
    if let Some(replaced) = replaced {
        format.remark(&signs_no_longer(&replaced));
    }
    Ok(())
}

async fn retire(desk: &Desk, key: Key, wipe: bool, format: Format) -> anyhow::Result<()> {
    let (act, name) = (actor::act(), key.name()?);
    let (view, is_signed) = desk.stop_signing_with(&act, &name).await?;
    if wipe {
        desk.wipe_dkim_key(&act, &name).await?;
    }
    format.print(&view, signs_no_longer)?;
    if !is_signed {
        format.remark(&format!("warning: {} has no key of its own that signs now", view.domain));
    }
    Ok(())
}

fn signs_no_longer(view: &view::DkimKey) -> String {
    let record = match view.record_until {
        Some(until) => format!("leave its record in the DNS until {}", output::time(until)),
        None => "its record may go".to_owned(),
    };
    format!("{} signs the mail of {} no longer; {record}", view.selector, view.domain)
}
