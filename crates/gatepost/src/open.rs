//! Opens what the configuration names: the store, its keyring, and the judge of its logins.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;

use auth::{Authenticator, Cost, Hasher, Keyring, MasterKeys};
use config::Config;
use rustix::process::geteuid;
use store_sqlite::{Mode, SqliteAccounts, SqliteStore};

use crate::{clock, wiring};

/// What judges logins, by the accounts of the store.
pub(crate) type Judge = Authenticator<SqliteAccounts>;

/// The configuration, and its store for a command; a server may be running on it. Close it in the end.
///
/// # Errors
/// When the configuration or the store can't be read.
pub(crate) async fn store(config: &Path) -> anyhow::Result<(Config, SqliteStore)> {
    let config = Config::load(config)?;
    let store = store_in(&config.storage.directory, Mode::Command).await?;
    Ok((config, store))
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

/// What judges logins, as the configuration says.
///
/// # Errors
/// When passwords can't be hashed.
pub(crate) fn judge(
    config: &Config,
    accounts: &SqliteAccounts,
    keyring: Arc<Keyring>,
) -> anyhow::Result<Judge> {
    let (accounts, hasher) = (Arc::new(accounts.clone()), Arc::new(Hasher::new(Cost::default())?));
    Ok(Authenticator::new(
        accounts,
        keyring,
        hasher,
        wiring::policy(&config.auth),
        wiring::backends(config)?,
        clock::now,
    ))
}
