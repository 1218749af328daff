//! The keys that sign the mail of a domain: made, put to use, taken out of use.

use message::dkim::{NewKey, NotMade, SigningKey};
use rand::RngExt as _;
use store::{Act, DkimKey, DkimKeys as _, Page};
use types::{DkimAlgorithm, DkimKeyId, DkimKeyName, Domain};

use crate::{Desk, Listed, Missing, OldKey, Taken, Trouble, view};

impl Desk {
    /// Makes a key. It does not sign yet: its record has to be in the DNS first. Says why it is sealed under an old master key, if it is.
    ///
    /// # Errors
    /// [`Taken::DkimKey`].
    pub async fn generate_dkim_key(
        &self,
        act: &Act,
        name: &DkimKeyName,
        algorithm: DkimAlgorithm,
    ) -> Result<(view::DkimKey, Option<OldKey>), Trouble> {
        let keyring = self.keyring().await?;
        let new =
            tokio::task::spawn_blocking(move || NewKey::generate(algorithm)).await.map_err(|_| NotMade)??;
        let made_at = u64::try_from(act.at.as_millisecond()).unwrap_or_default();
        let mut key = DkimKey {
            id: DkimKeyId::new(made_at, rand::rng().random()),
            name: name.clone(),
            algorithm,
            created_at: act.at,
            activated_at: None,
            retired_at: None,
            public_key: new.public_key,
            sealed: Vec::new(),
        };
        key.sealed = keyring.sealer(&self.accounts).await?.seal_dkim_key(&key, &new.private_key);
        match self.accounts.add_dkim_key(&key, act).await {
            Err(store::Error::AlreadyExists) => return Err(Taken::DkimKey(name.clone()).into()),
            added => added?,
        }
        let settled = keyring.settle(&self.accounts, key.place(), &key.sealed).await;
        Ok((view::DkimKey::of(&key), settled.err().map(OldKey)))
    }

    /// A page of the keys of a domain, or of all, by their domains and selectors.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn dkim_keys(
        &self,
        domain: Option<&Domain>,
        page: Page<DkimKeyName>,
    ) -> Result<Listed<view::DkimKey, DkimKeyName>, Trouble> {
        let domain = domain.map(Domain::normal);
        let keys = self.accounts.dkim_keys(domain.as_deref(), page).await?;
        let last = keys.last().map(|key| key.name.clone());
        Ok(Listed { items: keys.iter().map(view::DkimKey::of).collect(), last })
    }

    /// Has a key sign from the next message on, in the place of the one of its domain and algorithm that does, which is told. A key that
    /// does not open, or is none of its algorithm, is left as it is: all mail of its domain would wait for it.
    ///
    /// # Errors
    /// [`Missing::DkimKey`], [`Trouble::DamagedDkimKey`].
    pub async fn start_signing_with(
        &self,
        act: &Act,
        name: &DkimKeyName,
    ) -> Result<(view::DkimKey, Option<view::DkimKey>), Trouble> {
        let key = self.stored_dkim_key(name).await?;
        let opened = self.keyring().await?.open_dkim_key(&key).ok();
        let signing = opened.and_then(|private| SigningKey::new(key.name, key.algorithm, &private).ok());
        if signing.is_none() {
            return Err(Trouble::DamagedDkimKey(name.clone()));
        }
        let replaced = match self.accounts.activate_dkim_key(name, act).await {
            Err(store::Error::NotFound) => return Err(Missing::DkimKey(name.clone()).into()),
            activated => activated?,
        };
        let replaced = match replaced {
            Some(replaced) => Some(self.dkim_key(&replaced).await?),
            None => None,
        };
        Ok((self.dkim_key(name).await?, replaced))
    }

    /// Has a key sign no longer. Says whether anything signs for its domain now.
    ///
    /// # Errors
    /// [`Missing::DkimKey`].
    pub async fn stop_signing_with(
        &self,
        act: &Act,
        name: &DkimKeyName,
    ) -> Result<(view::DkimKey, bool), Trouble> {
        match self.accounts.retire_dkim_key(name, act).await {
            Err(store::Error::NotFound) => return Err(Missing::DkimKey(name.clone()).into()),
            retired => retired?,
        };
        let active = self.accounts.active_dkim_keys(&[name.domain()]).await?;
        Ok((self.dkim_key(name).await?, !active.is_empty()))
    }

    /// Wipes the private key of a retired key for good, whether it opens or not.
    ///
    /// # Errors
    /// [`Missing::DkimKey`].
    pub async fn wipe_dkim_key(&self, act: &Act, name: &DkimKeyName) -> Result<(), Trouble> {
        match self.accounts.wipe_dkim_key(name, act).await {
            Err(store::Error::NotFound) => Err(Missing::DkimKey(name.clone()).into()),
            wiped => Ok(wiped.map(drop)?),
        }
    }

    /// Whether there is a key of this name.
    ///
    /// # Errors
    /// When the store can't tell.
    pub async fn has_dkim_key(&self, name: &DkimKeyName) -> Result<bool, Trouble> {
        Ok(self.accounts.dkim_key(name).await?.is_some())
    }

    async fn dkim_key(&self, name: &DkimKeyName) -> Result<view::DkimKey, Trouble> {
        Ok(view::DkimKey::of(&self.stored_dkim_key(name).await?))
    }

    async fn stored_dkim_key(&self, name: &DkimKeyName) -> Result<DkimKey, Trouble> {
        let key = self.accounts.dkim_key(name).await?;
        key.ok_or_else(|| Missing::DkimKey(name.clone()).into())
    }
}
