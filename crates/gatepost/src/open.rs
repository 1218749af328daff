//! Opens what the configuration names: the store and its keyring.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use auth::{Keyring, MasterKeys};
use config::Config;
use rustix::process::geteuid;
use store_sqlite::{Mode, SqliteAccounts, SqliteStore};

/// The store, for a command; a server may be running on it. Close it in the end.
///
/// # Errors
/// When the configuration or the store can't be read.
pub(crate) async fn store(config: &Path) -> anyhow::Result<SqliteStore> {
    store_in(&Config::load(config)?.storage.directory, Mode::Command).await
}

/// The store in this directory.
///
/// # Errors
/// When it belongs to another user, or can't be opened.
pub(crate) async fn store_in(directory: &Path, mode: Mode) -> anyhow::Result<SqliteStore> {
    if let Some(owner) = other_owner(directory) {
        anyhow::bail!(
            "the store {} belongs to another user; run this as that one: `sudo -u '#{owner}' gatepost …`",
            directory.display()
        );
    }
    Ok(SqliteStore::open(directory, mode).await?)
}

/// The user whom the store belongs to, if it isn't ours. Files that root made in it would keep the server from
/// starting. A directory in which there is no store yet is left alone by root only: others may have been let in by
/// its mode.
fn other_owner(directory: &Path) -> Option<u32> {
    let (me, owner) = (geteuid(), |path: &Path| std::fs::metadata(path).ok().map(|found| found.uid()));
    let store = owner(&directory.join("accounts.db"));
    let store = store.or_else(|| owner(directory).filter(|_| me.is_root()));
    store.filter(|owner| *owner != me.as_raw())
}

/// The keyring of the store that the configuration names.
///
/// # Errors
/// When the key file can't be read, or does not belong to the store.
pub(crate) async fn keyring(config: &Config, store: &SqliteAccounts) -> anyhow::Result<Keyring> {
    Ok(Keyring::open(MasterKeys::load(&config.storage.master_key_file)?, store).await?)
}
