//! `gatepost key rotate`: every sealed secret under the newest master key.
//!
//! The key is in its file, on stable storage, before anything is sealed under it; each secret is replaced only
//! where it still is what was opened. So this may be killed at any moment, and a server may run: it finds the new
//! key by itself.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use auth::{KeyFileLock, Keyring, MasterKeys, SealError};
use config::Config;
use desk::SealedBatches;
use serde::Serialize;
use store::{Accounts as _, Action, Audit as _, AuditEvent, Resealed, SealedPlace, SealedSecrets as _};
use store_sqlite::SqliteAccounts;

use crate::output::Format;
use crate::{actor, open, owner, sealed};

/// What was done, as `--json` shows it.
#[derive(Serialize)]
struct View {
    key: u32,
    resealed: u64,
}

/// Secrets that do not open, and why.
type Unopened = BTreeMap<SealedPlace, SealError>;

pub(super) async fn run(config: &Path, format: Format) -> anyhow::Result<()> {
    let config = Config::load(config)?;
    // The key file may lie where root alone can write; the store is its owner's.
    let file = &config.storage.master_key_file;
    let (lock, masters) = (KeyFileLock::take(file)?, MasterKeys::load(file)?);
    let store = open::store_for_a_while(&config).await?;
    let done = rotate(&lock, masters, store.accounts(), format).await;
    store.close().await;
    done?;
    format.remark(&format!("older keys may be removed from {} once no backup needs them", file.display()));
    Ok(())
}

async fn rotate(
    lock: &KeyFileLock,
    masters: MasterKeys,
    store: &SqliteAccounts,
    format: Format,
) -> anyhow::Result<()> {
    let keyring = Keyring::open(masters, store).await?;
    if !is_unfinished(&keyring, store).await? {
        keyring.turn_to(owner::as_root(|| MasterKeys::add(lock))??);
    }
    let (resealed, unopened) = reseal_all(&keyring, store).await?;
    audit(store, &unopened).await?;
    format.print(&View { key: keyring.newest(), resealed }, told)?;
    if !unopened.is_empty() {
        bail!(
            "{}; they are as they were, and `gatepost audit list --action secret-open` names the accounts",
            sealed::told(unopened.values().copied())
        );
    }
    Ok(())
}

fn told(view: &View) -> String {
    match view.resealed {
        1 => format!("1 secret is re-sealed under master key {}", view.key),
        number => format!("{number} secrets are re-sealed under master key {}", view.key),
    }
}

/// Whether a rotation was broken off: some secret that could be sealed under the newest key is not.
async fn is_unfinished(keyring: &Keyring, store: &SqliteAccounts) -> anyhow::Result<bool> {
    let mut batches = SealedBatches::of(store);
    while let Some(batch) = batches.next().await? {
        if batch.iter().any(|(place, sealed)| matches!(keyring.reseal(*place, sealed), Ok(Some(_)))) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Goes over the secrets until none is left to be sealed anew: some may have come in behind the first pass.
async fn reseal_all(keyring: &Keyring, store: &SqliteAccounts) -> anyhow::Result<(u64, Unopened)> {
    let (mut all, mut unopened) = (0, Unopened::new());
    loop {
        let (found, resealed) = pass(keyring, store, &mut unopened).await?;
        all += resealed;
        if found == 0 {
            return Ok((all, unopened));
        }
    }
}

/// One time over all secrets: how many were found under an older key, and how many of them are under the newest now.
async fn pass(
    keyring: &Keyring,
    store: &SqliteAccounts,
    unopened: &mut Unopened,
) -> anyhow::Result<(usize, u64)> {
    let (mut found, mut resealed, mut batches) = (0, 0, SealedBatches::of(store));
    while let Some(batch) = batches.next().await? {
        let anew: Vec<Resealed> = batch
            .iter()
            .filter_map(|(place, sealed)| match keyring.reseal(*place, sealed) {
                Ok(anew) => anew,
                Err(error) => {
                    unopened.insert(*place, error);
                    None
                }
            })
            .collect();
        found += anew.len();
        resealed += store.reseal(&anew).await?;
    }
    Ok((found, resealed))
}

async fn audit(store: &SqliteAccounts, unopened: &Unopened) -> anyhow::Result<()> {
    let act = actor::act();
    for (place, error) in unopened {
        let account = match place {
            SealedPlace::RootKey => None,
            SealedPlace::TotpSeed { account, .. } | SealedPlace::ChallengeKey { account, .. } => {
                store.by_id(*account).await?
            }
        };
        let account = account.map(|account| account.address.normal());
        let event = AuditEvent::failure(Action::SecretOpen, error.code(), &act);
        store.record(&AuditEvent { account, ..event }).await?;
    }
    let rotation = match unopened.values().next() {
        None => AuditEvent::success(Action::KeyRotate, &act),
        Some(error) => AuditEvent::failure(Action::KeyRotate, error.code(), &act),
    };
    Ok(store.record(&rotation).await?)
}
