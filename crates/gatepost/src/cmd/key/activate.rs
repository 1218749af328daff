//! `gatepost key activate`: the newest master key seals from now on, and every secret is sealed anew under it.

use std::path::Path;

use auth::{KeyFileLock, Keyring, MasterKeys};
use config::Config;
use store::Action;
use stores::Store;

use super::{nodes, reseal};
use crate::open;
use crate::output::Format;

pub(super) async fn run(config: &Path, format: Format) -> anyhow::Result<()> {
    let config = Config::load(config)?;
    // The key file may lie where root alone can read; the store is its owner's.
    let file = &config.storage.master_key_file;
    let (_lock, masters) = (KeyFileLock::take(file)?, MasterKeys::load(file)?);
    let store = open::store_for_a_while(&config).await?;
    let done = activate(masters, &store, format).await;
    store.close().await;
    done?;
    reseal::remark(format, file);
    Ok(())
}

async fn activate(masters: MasterKeys, store: &Store, format: Format) -> anyhow::Result<()> {
    let key = masters.newest_id();
    let keyring = Keyring::open(masters, store.accounts()).await?;
    nodes::have_all(&nodes::of(store.spool()).await?, key)?;
    reseal::under_newest(&keyring, store.accounts(), Action::KeyActivate, format).await
}
