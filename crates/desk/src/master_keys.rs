//! The master keys: which there are, which of them seals, and how much each has sealed.

use std::collections::BTreeMap;

use auth::{MasterKeys, sealed_under};
use store::SealedSecrets as _;
use stores::Accounts;

use crate::sealed_secrets::SealedBatches;
use crate::view::{MasterKey, MasterKeyState};
use crate::{Desk, Trouble};

impl Desk {
    /// The master keys that are in the key file or have sealed something, by their numbers. Nothing is opened for it.
    ///
    /// # Errors
    /// When the key file can't be read, or the store can't tell.
    pub async fn master_keys(&self) -> Result<Vec<MasterKey>, Trouble> {
        let masters = MasterKeys::load(&self.settings.master_key_file)?;
        let root = self.accounts.root_key().await?;
        let active = root.and_then(|root| sealed_under(&root).ok()).unwrap_or(masters.newest());
        let mut secrets: BTreeMap<u32, u64> = masters.numbers().map(|key| (key, 0)).collect();
        secrets.extend(secrets_by_key(&self.accounts).await?);
        let view = |(key, secrets)| MasterKey { key, state: state(key, active, &masters), secrets };
        Ok(secrets.into_iter().map(view).collect())
    }
}

/// How many secrets of the store each master key has sealed, by the numbers of the keys. Nothing is opened for it.
///
/// # Errors
/// When the store can't tell.
pub async fn secrets_by_key(store: &Accounts) -> Result<BTreeMap<u32, u64>, store::Error> {
    let (mut secrets, mut batches) = (BTreeMap::new(), SealedBatches::of(store));
    while let Some(batch) = batches.next().await? {
        // What is damaged is told by `check`.
        for key in batch.iter().filter_map(|(_, sealed)| sealed_under(sealed).ok()) {
            *secrets.entry(key).or_default() += 1;
        }
    }
    Ok(secrets)
}

fn state(key: u32, active: u32, masters: &MasterKeys) -> MasterKeyState {
    if masters.numbers().all(|known| known != key) {
        MasterKeyState::Missing
    } else if key == active {
        MasterKeyState::Active
    } else if key > active {
        MasterKeyState::Staged
    } else {
        MasterKeyState::Old
    }
}
