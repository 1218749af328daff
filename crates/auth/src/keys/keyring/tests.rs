use std::sync::Mutex;

use store::Error;
use types::Mailbox;

use super::*;
use crate::app_password::normalise;
use crate::keys::key_file::KeyFileLock;
use crate::keys::master_key::tests::numbered;

/// A keyring that belongs to no store, the same every time.
pub(crate) fn keyring() -> Keyring {
    let root = Key::from_octets(&[7; 32]).unwrap();
    Keyring { masters: ArcSwap::from_pointee(numbered(&[1])), root }
}

/// What a store keeps of keys.
#[derive(Default)]
struct Shelf {
    root: Mutex<Option<Vec<u8>>>,
    app_passwords: bool,
    /// What another process keeps just before us.
    faster: Option<Vec<u8>>,
}

impl SealedSecrets for Shelf {
    async fn root_key(&self) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.root.lock().unwrap().clone())
    }

    async fn keep_root_key(&self, sealed: &[u8]) -> Result<(), Error> {
        let first = self.faster.clone().unwrap_or_else(|| sealed.to_vec());
        self.root.lock().unwrap().get_or_insert(first);
        Ok(())
    }

    async fn any_app_password(&self) -> Result<bool, Error> {
        Ok(self.app_passwords)
    }

    async fn sealed(&self, _: Option<SealedPlace>, _: u32) -> Result<Vec<(SealedPlace, Vec<u8>)>, Error> {
        Ok(Vec::new())
    }

    async fn reseal(&self, _: &[Resealed]) -> Result<u64, Error> {
        Ok(0)
    }
}

fn digest(keyring: &Keyring) -> [u8; 32] {
    keyring.app_passwords().digest(&normalise(&Secret::new("abcdefghijklmnop")).unwrap())
}

#[tokio::test]
async fn the_root_key_is_made_once_and_no_master_key() {
    let store = Shelf::default();
    let first = Keyring::open(numbered(&[1]), &store).await.unwrap();
    let again = Keyring::open(numbered(&[1, 2]), &store).await.unwrap();
    assert_eq!(first.root.declassify(), again.root.declassify());
    assert_ne!(first.root.declassify(), [1; 32]);
    assert_eq!(digest(&first), digest(&again));
}

#[tokio::test]
async fn digests_that_were_keyed_by_the_master_key_stay_right() {
    let store = Shelf { app_passwords: true, ..Shelf::default() };
    let keyring = Keyring::open(numbered(&[3, 4]), &store).await.unwrap();
    let before = AppPasswordKey::new(&Key::from_octets(&[3; 32]).unwrap());
    assert_eq!(digest(&keyring), before.digest(&normalise(&Secret::new("abcdefghijklmnop")).unwrap()));
}

#[tokio::test]
async fn of_two_that_start_at_once_both_have_the_key_of_the_first() {
    let root = Secret::new([9; 32]);
    let faster = seal::seal(&numbered(&[1]), SealedPlace::RootKey, &root);
    let store = Shelf { faster: Some(faster), ..Shelf::default() };
    let keyring = Keyring::open(numbered(&[1]), &store).await.unwrap();
    assert_eq!(keyring.root.declassify(), [9; 32]);
}

#[tokio::test]
async fn other_master_keys_do_not_open_the_store() {
    let store = Shelf::default();
    Keyring::open(numbered(&[2]), &store).await.unwrap();
    let gone = Keyring::open(numbered(&[1]), &store).await.unwrap_err();
    assert!(gone.to_string().contains("master key 2, which is not in master.key"), "{gone}");
    let root = Secret::new([0; 32]);
    let foreign = seal::seal(
        &numbered(&[1]),
        SealedPlace::TotpSeed {
            account: AccountId::from_bytes([0; 16]),
            enrolled_at: jiff::Timestamp::UNIX_EPOCH,
        },
        &root,
    );
    *store.root.lock().unwrap() = Some(foreign);
    let foreign = Keyring::open(numbered(&[1]), &store).await.unwrap_err();
    assert!(foreign.to_string().contains("does not belong to this store"), "{foreign}");
}

#[tokio::test]
async fn a_key_that_another_process_added_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("master.key");
    let running = Keyring::open(MasterKeys::generate(&file).unwrap(), &Shelf::default()).await.unwrap();
    let place = SealedPlace::TotpSeed {
        account: AccountId::from_bytes([1; 16]),
        enrolled_at: jiff::Timestamp::UNIX_EPOCH,
    };
    let old = running.seal(place, &Secret::new("seed"));
    let masters = MasterKeys::add(&KeyFileLock::take(&file).unwrap()).unwrap();
    let new = seal::seal(&masters, place, &Secret::new("seed"));
    assert_eq!(running.open_sealed(place, &new), Ok(Secret::new("seed")));
    assert_eq!(seal::key_of(&running.seal(place, &Secret::new("seed"))), Ok(2));
    let resealed = running.reseal(place, &old).unwrap().unwrap();
    assert_eq!((resealed.place, &resealed.old), (place, &old));
    assert_eq!(running.open_sealed(place, &resealed.new), Ok(Secret::new("seed")));
    assert!(running.reseal(place, &resealed.new).unwrap().is_none());
    std::fs::remove_file(&file).unwrap();
    assert_eq!(running.open_sealed(place, &new), Ok(Secret::new("seed")));
    assert_eq!(seal::key_of(&running.seal(place, &Secret::new("seed"))), Ok(2));
}

#[test]
fn the_keys_of_a_keyring_differ_from_each_other() {
    let keyring = keyring();
    let account = AccountId::from_bytes([1; 16]);
    let correspondent = keyring.blind_digests().of_correspondent(&Mailbox::parse("bob@example.org").unwrap());
    let mark = keyring.blind_digests().of_attempt("bob@example.org", &Secret::new("x"));
    assert_ne!(correspondent[..8], mark.account);
    assert_ne!(digest(&keyring), keyring.selector(account, b"abcdefghijklmnop"));
    assert_eq!(format!("{keyring:?}"), "Keyring(…)");
}
