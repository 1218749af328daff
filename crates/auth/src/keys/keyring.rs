//! The keyring: all that is derived from the master keys, for one store.
//!
//! A root key of 32 octets lies in the store, sealed under a master key; digests are keyed by it. A digest can't be
//! made again without its input, but the root key can be sealed again: so a master key is not needed any more once nothing is sealed
//! under it. The master key that the root key is sealed under is the one that seals: so the store says it, and all who use the store
//! agree. See docs/decisions/0007-keys.md.

use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;
use sasl::ScramParameters;
use store::{MasterKeyId, Resealed, SealedPlace, SealedSecrets};
use thiserror::Error;
use tokio::sync::watch;
use types::{AccountId, Secret};

use crate::api_token::ApiTokenKey;
use crate::app_password::AppPasswordKey;
use crate::enrolment_link::EnrolmentLinkKey;
use crate::keys::blind_digest::{self, BlindDigests};
use crate::keys::key::Key;
use crate::keys::key_file;
use crate::keys::master_key::MasterKeys;
use crate::keys::scram_salt;
use crate::keys::seal::{self, SealError};
use crate::keys::sealer::Sealer;
use crate::second_factor::recovery_code::RecoveryCodeKey;
use crate::web_session::{SessionFormKey, SessionTokenKey};

/// The master keys and the root key of a store.
pub struct Keyring {
    masters: ArcSwap<MasterKeys>,
    newest: watch::Sender<MasterKeyId>,
    root: Key,
}

/// Why there is no keyring for this store; says what to do about it.
#[derive(Debug, Error)]
pub enum KeyringError {
    /// The root key is sealed under a key that is gone.
    #[error(
        "the store is sealed under master key {1}, which is not in {file}: put its line back from your copy of the file",
        file = .0.display()
    )]
    KeyGone(PathBuf, u32),
    /// The root key does not open.
    #[error(
        "the master key {file} does not belong to this store: put back the file that was used with it (or, if that is the \
         one, the store from a backup: its own key is damaged)",
        file = .0.display()
    )]
    Foreign(PathBuf),
    /// What was stored does not open, as far as it is to be sealed anew.
    #[error("what was just stored does not open: {0}")]
    Unopened(#[from] SealError),
    /// The store can't tell.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Keyring {
    /// The keyring of this store; the first time, its root key is made.
    ///
    /// # Errors
    /// When the master keys do not belong to the store, or the store can't tell.
    pub async fn open(masters: MasterKeys, store: &impl SealedSecrets) -> Result<Self, KeyringError> {
        let masters = Arc::new(masters);
        let sealed = match store.root_key().await? {
            Some(sealed) => sealed,
            None => make_root(&masters, store).await?,
        };
        let (root, _) = open_root(&masters, &sealed)?;
        Ok(Self::of(masters, root))
    }

    pub(crate) fn of(masters: Arc<MasterKeys>, root: Key) -> Self {
        let newest = watch::Sender::new(masters.newest_id());
        Self { masters: ArcSwap::new(masters), newest, root }
    }

    /// Finds out whether these master keys could be used with this store.
    ///
    /// # Errors
    /// When they do not belong to it, or it can't tell.
    pub async fn check(masters: &Arc<MasterKeys>, store: &impl SealedSecrets) -> Result<(), KeyringError> {
        match store.root_key().await? {
            Some(root) => open_root(masters, &root).map(drop),
            None => Ok(()),
        }
    }

    /// What seals for this store at this moment; in one that has no root key the newest master key does.
    ///
    /// # Errors
    /// When the master keys do not belong to the store, or it can't tell.
    pub async fn sealer(&self, store: &impl SealedSecrets) -> Result<Sealer, KeyringError> {
        let Some(root) = store.root_key().await? else { return Ok(self.newest_sealer()) };
        self.open_with_any(|masters| open_root(masters, &root)).map(|(_, sealer)| sealer)
    }

    /// Makes the newest master key the one that seals, for all who use the store at the same moment. What was sealed before stays as it is,
    /// and opens as long as its key is in the key file.
    ///
    /// # Errors
    /// When the master keys do not belong to the store, or it can't tell.
    pub async fn activate_newest(&self, store: &impl SealedSecrets) -> Result<Sealer, KeyringError> {
        let masters = self.masters.load_full();
        let newest = Sealer::newest(masters.clone());
        while let Some(old) = store.root_key().await? {
            let (root, sealer) = open_root(&masters, &old)?;
            if sealer.number() == newest.number() {
                break;
            }
            let new = newest.seal(SealedPlace::RootKey, &Secret::new(root.declassify()));
            // If somebody else has sealed it meanwhile, it stays as it is, and is looked at once more.
            store.reseal(&[Resealed { place: SealedPlace::RootKey, old, new }]).await?;
        }
        Ok(newest)
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// When it was not, or under a key that isn't in the key file.
    pub fn open_sealed(&self, place: SealedPlace, sealed: &[u8]) -> Result<Secret, SealError> {
        self.open_with_any(|masters| seal::open(masters, place, sealed))
    }

    /// Seals anew what has just been stored, if another master key has been activated since it was sealed: the last look for what is to be
    /// sealed anew may have come too early for it. Whoever stores what a [`Sealer`] has given calls this afterwards.
    ///
    /// # Errors
    /// When the store does not take it, or it or the store is sealed under a key that is not in the key file.
    pub async fn settle(
        &self,
        store: &impl SealedSecrets,
        place: SealedPlace,
        sealed: &[u8],
    ) -> Result<(), KeyringError> {
        match self.sealer(store).await?.reseal(place, sealed)? {
            Some(resealed) => Ok(store.reseal(&[resealed]).await.map(drop)?),
            None => Ok(()),
        }
    }

    /// Uses these master keys from now on.
    pub fn turn_to(&self, masters: Arc<MasterKeys>) {
        let newest = masters.newest_id();
        self.masters.store(masters);
        self.newest.send_replace(newest);
    }

    /// The numbers of the keys that would not be there any more with these master keys.
    #[must_use]
    pub fn dropped_by(&self, masters: &MasterKeys) -> Vec<u32> {
        self.masters.load().missing_in(masters)
    }

    /// Which of the master keys is the newest, now and later.
    #[must_use]
    pub fn newest_key(&self) -> watch::Receiver<MasterKeyId> {
        self.newest.subscribe()
    }

    /// What seals under the newest master key, whichever the store is sealed under.
    #[must_use]
    pub fn newest_sealer(&self) -> Sealer {
        Sealer::newest(self.masters.load_full())
    }

    /// The key of the digests of app passwords.
    #[must_use]
    pub fn app_passwords(&self) -> AppPasswordKey {
        AppPasswordKey::new(&self.root)
    }

    /// The key of the digests of browser sessions' tokens.
    #[must_use]
    pub fn session_tokens(&self) -> SessionTokenKey {
        SessionTokenKey::new(&self.root)
    }

    /// The key of the digests of API tokens.
    #[must_use]
    pub fn api_tokens(&self) -> ApiTokenKey {
        ApiTokenKey::new(&self.root)
    }

    /// What makes the keys of the forms of browser sessions.
    #[must_use]
    pub fn session_forms(&self) -> SessionFormKey {
        SessionFormKey::new(&self.root)
    }

    /// The key of the digests of links that set up devices and accounts.
    #[must_use]
    pub fn enrolment_links(&self) -> EnrolmentLinkKey {
        EnrolmentLinkKey::new(&self.root)
    }

    /// The key of the digests of recovery codes.
    #[must_use]
    pub fn recovery_codes(&self) -> RecoveryCodeKey {
        RecoveryCodeKey::new(&self.root)
    }

    /// What SCRAM makes keys with for this name, whether it is anybody's or not.
    #[must_use]
    pub fn scram_parameters(&self, name: &str) -> ScramParameters {
        scram_salt::scram_parameters(&self.root, name)
    }

    /// What makes blind digests.
    #[must_use]
    pub fn blind_digests(&self) -> BlindDigests {
        BlindDigests::new(&self.root)
    }

    /// The blind digest by which an imported app password is found: of some of its letters, which the store must not learn.
    #[must_use]
    pub fn selector(&self, account: AccountId, selector: &[u8]) -> [u8; 32] {
        blind_digest::selector(&self.root, account, selector)
    }

    /// Opens something with the keys in use or, if they do not open it, with the key file as it is now: another process may have added a key.
    ///
    /// The file is taken up only if it does open this, which shows that it is the store's. Keys that are no longer in it stay in use until
    /// a reload; a server that may not read it any longer goes on with what it has.
    fn open_with_any<T, E>(&self, open: impl Fn(&Arc<MasterKeys>) -> Result<T, E>) -> Result<T, E> {
        let present = self.masters.load_full();
        open(&present).or_else(|error| {
            let Ok(file) = MasterKeys::peek(present.file()) else { return Err(error) };
            let masters = Arc::new(file.and(&present));
            open(&masters).inspect(|_| self.take_up(masters.clone()))
        })
    }

    /// Others are told of the newest key only when it is on stable storage, where it can be: they rely on it.
    fn take_up(&self, masters: Arc<MasterKeys>) {
        match key_file::sync(masters.file()) {
            Ok(()) => self.turn_to(masters),
            Err(_) => self.masters.store(masters),
        }
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyring(…)")
    }
}

/// Makes the root key; of two processes that do so at once, both get that of the first.
async fn make_root(masters: &MasterKeys, store: &impl SealedSecrets) -> Result<Vec<u8>, KeyringError> {
    let first = match store.any_app_password().await? {
        // Before there were root keys, digests were keyed by the master key.
        true => masters.oldest().clone(),
        false => Key::random(),
    };
    let root = Secret::new(first.declassify());
    let sealed = seal::seal(masters.newest_key(), SealedPlace::RootKey, &root);
    store.keep_root_key(&sealed).await?;
    Ok(store.root_key().await?.unwrap_or(sealed))
}

/// Opens the root key of a store. With it comes what seals for the store: the master key that the root key is sealed under.
fn open_root(masters: &Arc<MasterKeys>, sealed: &[u8]) -> Result<(Key, Sealer), KeyringError> {
    let foreign = || KeyringError::Foreign(masters.file().to_owned());
    let number = seal::sealed_under(sealed).map_err(|_| foreign())?;
    let sealer = Sealer::of(masters.clone(), number)
        .ok_or_else(|| KeyringError::KeyGone(masters.file().to_owned(), number))?;
    let root = seal::open(masters, SealedPlace::RootKey, sealed).map_err(|_| foreign())?;
    Ok((Key::from_octets(root.declassify()).ok_or_else(foreign)?, sealer))
}

#[cfg(test)]
pub(crate) mod tests;
