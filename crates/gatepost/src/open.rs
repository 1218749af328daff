//! Opens what the configuration names: the store, its keyring, and the judge of its logins.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use auth::{Authenticator, Backend, Keyring, MasterKeys};
use config::Config;
use desk::Desk;
use rustix::process::geteuid;
use store::Ledger as _;
use stores::{Accounts, BackedUp, Claimed, Migrated, Mode, Store};

use crate::owner::{Owner, Until};
use crate::{clock, wiring};

/// The configuration, and its store for a command; a server may be running on it. Close it in the end.
///
/// # Errors
/// When the configuration or the store can't be read.
pub(crate) async fn store(config: &Path) -> anyhow::Result<(Config, Store)> {
    let config = Config::load(config)?;
    let store = store_in(&config.storage.directory).await?;
    store.ledger().set_kept(!config.ledger.keep.is_zero());
    Ok((config, store))
}

/// The store of this configuration, for a command that needs root once more: see [`owner::as_root`](crate::owner::as_root).
///
/// # Errors
/// When it can't be opened.
pub(crate) async fn store_for_a_while(config: &Config) -> anyhow::Result<Store> {
    let directory = &config.storage.directory;
    ours(directory, Mode::Command, Until::AsRoot)?;
    Ok(Store::open(directory, Mode::Command).await?)
}

/// The store in this directory, for a command. Root becomes its owner.
///
/// # Errors
/// When it belongs to another user, or can't be opened.
pub(crate) async fn store_in(directory: &Path) -> anyhow::Result<Store> {
    ours(directory, Mode::Command, Until::TheEnd)?;
    Ok(Store::open(directory, Mode::Command).await?)
}

/// The store in this directory, for a server that will open it.
///
/// # Errors
/// When it belongs to another user, or another server has it.
pub(crate) fn claim(directory: &Path) -> anyhow::Result<Claimed> {
    ours(directory, Mode::Server, Until::TheEnd)?;
    Ok(Store::claim(directory, Mode::Server)?)
}

/// Brings the store in this directory up to date; says for each database what was done.
///
/// # Errors
/// When it belongs to another user, a server has it open, or it can't be changed.
pub(crate) async fn migrate(directory: &Path) -> anyhow::Result<Vec<Migrated>> {
    ours(directory, Mode::Command, Until::TheEnd)?;
    Ok(Store::migrate(directory).await?)
}

/// Copies the store in this directory, of whatever version, to another.
///
/// # Errors
/// When it belongs to another user, or can't be copied.
pub(crate) async fn back_up(directory: &Path, to: &Path) -> anyhow::Result<BackedUp> {
    ours(directory, Mode::Command, Until::TheEnd)?;
    Ok(Store::back_up(directory, to).await?)
}

/// For what is done to a store that is there: most commands make one where there is none.
///
/// # Errors
/// When there is none, or that can't be told.
pub(crate) fn existing(directory: &Path) -> anyhow::Result<()> {
    match Store::exists(directory)
        .with_context(|| format!("cannot read the store {}", directory.display()))?
    {
        true => Ok(()),
        false => anyhow::bail!(
            "there is no store {}: look at [storage] url; the first start of the server makes one",
            directory.display()
        ),
    }
}

/// Becomes the owner of the store in this directory, if root does something with it that needs no store to be opened.
///
/// # Errors
/// When it belongs to another user.
pub(crate) fn as_owner(directory: &Path) -> anyhow::Result<()> {
    ours(directory, Mode::Command, Until::TheEnd)
}

/// Sees to it that the store is ours. Root becomes its owner for a command.
fn ours(directory: &Path, mode: Mode, until: Until) -> anyhow::Result<()> {
    match Owner::other_than_us(directory) {
        None => Ok(()),
        Some(owner) if mode == Mode::Command && geteuid().is_root() => owner.become_it(until),
        Some(owner) => anyhow::bail!(
            "the store {} belongs to another user; run this as that one: `sudo -u '#{}' gatepost …`",
            directory.display(),
            owner.uid()
        ),
    }
}

/// What commands can do and ask on this store.
pub(crate) fn desk(config: &Config, store: &Store) -> Desk {
    let (accounts, spool, ledger) = (store.accounts().clone(), store.spool().clone(), store.ledger().clone());
    Desk::new(accounts, spool, ledger, wiring::desk_settings(config), clock::now)
}

/// The keyring of the store that the configuration names.
///
/// # Errors
/// When the key file can't be read, or does not belong to the store.
pub(crate) async fn keyring(config: &Config, store: &Accounts) -> anyhow::Result<Keyring> {
    Ok(Keyring::open(MasterKeys::load(&config.storage.master_key_file)?, store).await?)
}

/// What judges logins, as the configuration says, by asking these backends.
///
/// # Errors
/// When passwords can't be hashed.
pub(crate) fn judge(
    config: &Config,
    accounts: &Accounts,
    keyring: Arc<Keyring>,
    backends: Vec<Backend>,
) -> anyhow::Result<Authenticator> {
    let hasher = Arc::new(wiring::hasher_for_logins(config)?);
    Ok(Authenticator::new(accounts.clone(), keyring, hasher, wiring::policy(config), backends, clock::now))
}
