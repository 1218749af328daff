//! `gatepost check`: says what is wrong with the set-up, serving nothing.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use auth::{Keyring, MasterKeys};
use config::{Config, Delivery, Via};
use store::SealedSecrets as _;
use store_sqlite::{Mode, SqliteAccounts};
use submission::tls::{CertificateFacts, Identity};

use crate::sealed::{self, Batches};
use crate::{clock, explain, open, output, warnings, wiring};

/// Reads everything that `serve` would read, and goes on after a fault, so that all of them are told at once.
///
/// # Errors
/// When something is wrong that would keep the server from starting or from delivering.
pub(crate) async fn run(file: &Path) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    let certificate = certificate(&config);
    let facts = certificate.as_ref().ok().and_then(Option::as_ref);
    for doubt in warnings::about(&config, facts, clock::now()) {
        output::line(&format!("warning: {doubt}"))?;
    }
    let (masters, key) = match MasterKeys::load(&config.storage.master_key_file) {
        Ok(masters) => (Some(masters), Ok(())),
        Err(fault) => (None, Err(fault.into())),
    };
    let faults: Vec<anyhow::Error> = [
        certificate.map(drop),
        key,
        store(&config.storage.directory, masters).await,
        wiring::backends(&config).map(drop),
        wiring::routes(&config.delivery).map(drop),
        reach(&config).await,
        maildirs(&config.delivery),
    ]
    .into_iter()
    .filter_map(Result::err)
    .collect();
    tell(file, &faults)
}

fn tell(file: &Path, faults: &[anyhow::Error]) -> anyhow::Result<()> {
    for fault in faults {
        output::line(&format!("fault: {}", explain::one_line(fault)))?;
    }
    match faults.len() {
        0 => output::line(&format!("{}: all is well", file.display())),
        1 => anyhow::bail!("the fault above keeps the server, or a part of it, from working; mend it"),
        number => anyhow::bail!(
            "the {number} faults above keep the server, or a part of it, from working; mend them"
        ),
    }
}

fn certificate(config: &Config) -> anyhow::Result<Option<CertificateFacts>> {
    let Some(tls) = &config.tls else { return Ok(None) };
    Ok(Some(Identity::load(&tls.certificate, &tls.private_key)?.facts()?))
}

/// A provider that does not answer just now is no fault: it may be back before anybody needs it.
async fn reach(config: &Config) -> anyhow::Result<()> {
    // What keeps it from being asked at all is told as a fault already.
    let Ok(providers) = wiring::providers(&config.oauth) else { return Ok(()) };
    for fault in providers.reach(clock::now()).await {
        output::line(&format!("warning: {}", explain::one_line(&fault.into())))?;
    }
    Ok(())
}

/// A store that is not there yet is made by the first start, and must not be made here: `check` may be run by somebody
/// else than the server.
async fn store(directory: &Path, masters: Option<MasterKeys>) -> anyhow::Result<()> {
    if !directory
        .join("accounts.db")
        .try_exists()
        .with_context(|| format!("cannot read the store {}", directory.display()))?
    {
        return output::line(&format!(
            "note: the store {} will be made by the first start",
            directory.display()
        ));
    }
    let store = open::store_in(directory, Mode::Command).await?;
    let opened = match masters {
        Some(masters) => secrets(masters, store.accounts()).await,
        None => Ok(()),
    };
    store.close().await;
    opened
}

/// Whether every sealed secret opens. Where no server has started yet there is none, and none must be made.
async fn secrets(masters: MasterKeys, store: &SqliteAccounts) -> anyhow::Result<()> {
    if store.root_key().await?.is_none() {
        return Ok(());
    }
    let keyring = Keyring::open(masters, store).await?;
    let (mut faults, mut batches) = (Vec::new(), Batches::of(store));
    while let Some(batch) = batches.next().await? {
        faults.extend(batch.iter().filter_map(|(place, sealed)| keyring.open_sealed(*place, sealed).err()));
    }
    match faults.is_empty() {
        true => Ok(()),
        false => anyhow::bail!("{}", sealed::told(faults.into_iter())),
    }
}

fn maildirs(delivery: &Delivery) -> anyhow::Result<()> {
    std::iter::once(&delivery.via).chain(delivery.routes.iter().map(|route| &route.via)).try_for_each(maildir)
}

/// A Maildir may be made by the first delivery, but a file in its place never goes away.
fn maildir(via: &Via) -> anyhow::Result<()> {
    let Via::Maildir(path) = via else { return Ok(()) };
    match std::fs::metadata(path) {
        Ok(found) if !found.is_dir() => anyhow::bail!("the Maildir {} is not a directory", path.display()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot read the Maildir {}", path.display()))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}
