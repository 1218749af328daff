//! Opens, for a command, what the configuration names. A server may be running on the same store.

use std::path::Path;

use config::Config;
use store_sqlite::{Mode, SqliteStore};

/// The store. Close it in the end.
///
/// # Errors
/// When the configuration or the store can't be read.
pub(crate) async fn store(config: &Path) -> anyhow::Result<SqliteStore> {
    let directory = Config::load(config)?.storage.directory;
    Ok(SqliteStore::open(&directory, Mode::Command).await?)
}

/// The master key.
///
/// # Errors
/// When the configuration or the key file can't be read.
pub(crate) fn master_key(config: &Path) -> anyhow::Result<auth::MasterKey> {
    Ok(auth::MasterKey::load(&Config::load(config)?.storage.master_key_file)?)
}
