//! `gatepost key rotate`: a new master key, which seals from now on, and every sealed secret under it.
//!
//! The key is in its file, on stable storage, before it is activated, whether it was added here or by other means. So this may be killed
//! at any moment, and the server of this machine may run: it finds the new key in the file by itself.

use std::path::Path;

use auth::{KeyFileLock, Keyring, MasterKeys};
use config::Config;
use desk::SealedBatches;
use store::Action;
use stores::{Accounts, Store};

use super::{nodes, reseal};
use crate::output::Format;
use crate::{open, owner};

pub(super) async fn run(config: &Path, format: Format) -> anyhow::Result<()> {
    let config = Config::load(config)?;
    // The key file may lie where root alone can write; the store is its owner's.
    let file = &config.storage.master_key_file;
    let (lock, masters) = (KeyFileLock::take(file)?, MasterKeys::load(file)?);
    let store = open::store_for_a_while(&config).await?;
    let done = rotate(&lock, masters, &store, format).await;
    store.close().await;
    done?;
    reseal::remark(format, file);
    Ok(())
}

async fn rotate(
    lock: &KeyFileLock,
    masters: MasterKeys,
    store: &Store,
    format: Format,
) -> anyhow::Result<()> {
    let nodes = nodes::of(store.spool()).await?;
    nodes::are_one_machine(&nodes)?;
    nodes::have_no_key_but(&nodes, &masters)?;
    let store = store.accounts();
    let keyring = Keyring::open(masters, store).await?;
    if !is_unfinished(&keyring, store).await? {
        keyring.turn_to(owner::as_root(|| MasterKeys::add(lock))??.into());
    }
    reseal::under_newest(&keyring, store, Action::KeyRotate, format).await
}

/// Whether there is a newest key already under which not everything is sealed that could be: it was added and not activated, or a rotation was
/// broken off.
async fn is_unfinished(keyring: &Keyring, store: &Accounts) -> anyhow::Result<bool> {
    let (newest, mut batches) = (keyring.newest_sealer(), SealedBatches::of(store));
    while let Some(batch) = batches.next().await? {
        if batch.iter().any(|(place, sealed)| matches!(newest.reseal(*place, sealed), Ok(Some(_)))) {
            return Ok(true);
        }
    }
    Ok(false)
}
