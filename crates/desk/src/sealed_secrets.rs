//! The sealed secrets of the store: whether they open.

use auth::{Keyring, SealError};
use store::{DkimKeys as _, Error, Page, SealedPlace, SealedSecrets as _};
use stores::Accounts;

use crate::{Desk, Trouble};

/// Enough for each transaction to be worth its sync, few enough that a login hardly waits for it.
const BATCH: u32 = 1000;

/// All sealed secrets, some at a time, in the order of their places.
#[derive(Debug)]
pub struct SealedBatches<'a> {
    store: &'a Accounts,
    after: Option<SealedPlace>,
}

impl<'a> SealedBatches<'a> {
    /// Those of this store, from the first on.
    pub fn of(store: &'a Accounts) -> Self {
        Self { store, after: None }
    }

    /// The next of them; `None` behind the last.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn next(&mut self) -> Result<Option<Vec<(SealedPlace, Vec<u8>)>>, Error> {
        let batch = self.store.sealed(self.after, BATCH).await?;
        let Some((last, _)) = batch.last() else { return Ok(None) };
        self.after = Some(*last);
        Ok(Some(batch))
    }
}

impl Desk {
    /// Why sealed secrets do not open, once for each that does not, or is a DKIM key of which the store says something else than was sealed with
    /// it. Where no server has started yet there are none, and none are made.
    ///
    /// # Errors
    /// When the master keys do not belong to the store, or it can't tell.
    pub async fn unopened_secrets(&self) -> Result<Vec<SealError>, Trouble> {
        if self.accounts.root_key().await?.is_none() {
            return Ok(Vec::new());
        }
        let keyring = self.keyring().await?;
        let (mut faults, mut batches) = (Vec::new(), SealedBatches::of(&self.accounts));
        while let Some(batch) = batches.next().await? {
            let others = batch.iter().filter(|(place, _)| !matches!(place, SealedPlace::DkimKey { .. }));
            faults.extend(others.filter_map(|(place, sealed)| keyring.open_sealed(*place, sealed).err()));
        }
        faults.extend(self.unopened_dkim_keys(keyring).await?);
        Ok(faults)
    }

    async fn unopened_dkim_keys(&self, keyring: &Keyring) -> Result<Vec<SealError>, Error> {
        let (mut faults, mut page) = (Vec::new(), Page::first(BATCH));
        loop {
            let keys = self.accounts.dkim_keys(None, page).await?;
            let Some(last) = keys.last() else { return Ok(faults) };
            page = Page { after: Some(last.name.clone()), limit: BATCH };
            let kept = keys.iter().filter(|key| !key.sealed.is_empty());
            faults.extend(kept.filter_map(|key| keyring.open_dkim_key(key).err()));
        }
    }
}
