//! The store: whether it opens, whether its sealed secrets do, and what is held in its queue.

use std::path::Path;

use anyhow::Context as _;
use auth::{Keyring, MasterKeys};
use store::{SealedSecrets as _, Spool as _};
use store_sqlite::{SqliteAccounts, SqliteSpool, SqliteStore};

use super::report::Report;
use crate::finding::Finding;
use crate::open;
use crate::sealed::{self, Batches};

/// A store that is not there yet is made by the first start, and must not be made here: `check` may be run by somebody
/// else than the server.
pub(super) async fn examine(directory: &Path, keys: Option<MasterKeys>, report: &mut Report) {
    match report.keep("store", "storage.url", open(directory).await) {
        Some(Some(store)) => {
            look_into(&store, keys, report).await;
            store.close().await;
        }
        Some(None) => {
            report.note(format!("the store {} will be made by the first start", directory.display()));
        }
        None => {}
    }
}

async fn open(directory: &Path) -> anyhow::Result<Option<SqliteStore>> {
    let is_there = directory.join("accounts.db").try_exists();
    if is_there.with_context(|| format!("cannot read the store {}", directory.display()))? {
        open::store_in(directory).await.map(Some)
    } else {
        Ok(None)
    }
}

async fn look_into(store: &SqliteStore, keys: Option<MasterKeys>, report: &mut Report) {
    if let Some(keys) = keys {
        report.keep("sealed-secrets", "storage.master_key_file", secrets(keys, store.accounts()).await);
    }
    let held = report.keep("store", "storage.url", held(store.spool()).await);
    report.warn(held.flatten());
}

/// Whether every sealed secret opens. Where no server has started yet there is none, and none must be made.
async fn secrets(keys: MasterKeys, store: &SqliteAccounts) -> anyhow::Result<()> {
    if store.root_key().await?.is_none() {
        return Ok(());
    }
    let keyring = Keyring::open(keys, store).await?;
    let (mut faults, mut batches) = (Vec::new(), Batches::of(store));
    while let Some(batch) = batches.next().await? {
        faults.extend(batch.iter().filter_map(|(place, sealed)| keyring.open_sealed(*place, sealed).err()));
    }
    match faults.is_empty() {
        true => Ok(()),
        false => anyhow::bail!("{}", sealed::told(faults.into_iter())),
    }
}

async fn held(spool: &SqliteSpool) -> anyhow::Result<Option<Finding>> {
    let held = spool.stats().await?.held;
    Ok((held > 0).then(|| {
        let recipients = if held == 1 { "1 recipient of a message is" } else { &format!("{held} recipients are") };
        let text = format!(
            "{recipients} held in the queue: `gatepost queue list` shows their messages, `gatepost queue release ID` \
             lets one go"
        );
        Finding::new("queue-held", text)
    }))
}
