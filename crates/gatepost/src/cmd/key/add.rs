//! `gatepost key add`: a new master key in the key file, which opens but does not seal yet.

use std::path::Path;

use anyhow::bail;
use auth::{KeyFileLock, Keyring, MasterKeys};
use config::Config;
use serde::Serialize;
use store::{Action, Audit as _, AuditEvent};
use stores::Store;

use super::nodes;
use crate::output::Format;
use crate::{actor, open, owner};

/// What was done, as `--json` shows it.
#[derive(Serialize)]
struct View {
    key: u32,
}

pub(super) async fn run(config: &Path, format: Format) -> anyhow::Result<()> {
    let config = Config::load(config)?;
    // The key file may lie where root alone can write; the store is its owner's.
    let file = &config.storage.master_key_file;
    let (lock, masters) = (KeyFileLock::take(file)?, MasterKeys::load(file)?);
    let store = open::store_for_a_while(&config).await?;
    let done = add(&lock, masters, &store, format).await;
    store.close().await;
    done?;
    format.remark(&format!(
        "copy {} afresh to a safe place; the key seals once every server has it: reload them (`systemctl reload gatepost`) and, when `gatepost nodes \
         list` shows it, `gatepost key activate`",
        file.display()
    ));
    Ok(())
}

async fn add(lock: &KeyFileLock, masters: MasterKeys, store: &Store, format: Format) -> anyhow::Result<()> {
    let newest = masters.newest_id();
    let keyring = Keyring::open(masters, store.accounts()).await?;
    if keyring.sealer(store.accounts()).await?.number() != newest.number {
        bail!(
            "master key {} was added already and does not seal yet: `gatepost key activate` has it seal",
            newest.number
        );
    }
    nodes::have_none_newer(&nodes::of(store.spool()).await?, newest)?;
    let key = owner::as_root(|| MasterKeys::add(lock))??.newest();
    format.print(&View { key }, |_| format!("master key {key} is in {}", lock.file().display()))?;
    Ok(store.accounts().record(&AuditEvent::success(Action::KeyAdd, &actor::act())).await?)
}
