use std::path::Path;
use std::sync::Mutex;

use store::Error;
use types::Mailbox;

use super::*;
use crate::app_password::normalise;
use crate::keys::key_file::KeyFileLock;
use crate::keys::master_key::tests::{numbered, of_octets};

/// A keyring that belongs to no store, the same every time.
pub(crate) fn keyring() -> Keyring {
    let root = Key::from_octets(&[7; 32]).unwrap();
    Keyring::of(Arc::new(numbered(&[1])), root)
}

/// Seals under the newest of these keys.
fn seal(masters: &MasterKeys, place: SealedPlace, secret: &Secret) -> Vec<u8> {
    seal::seal(masters.newest_key(), place, secret)
}

/// The seed of an account's second factor.
fn a_seed() -> SealedPlace {
    SealedPlace::TotpSeed {
        account: AccountId::from_bytes([1; 16]),
        enrolled_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn added(file: &Path) -> MasterKeys {
    MasterKeys::add(&KeyFileLock::take(file).unwrap()).unwrap()
}

/// The number of the key that seals.
async fn active(keyring: &Keyring, store: &Shelf) -> u32 {
    keyring.sealer(store).await.unwrap().number()
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

    async fn reseal(&self, secrets: &[Resealed]) -> Result<u64, Error> {
        let (mut root, mut resealed) = (self.root.lock().unwrap(), 0);
        for secret in secrets {
            if secret.place == SealedPlace::RootKey && root.as_ref() == Some(&secret.old) {
                *root = Some(secret.new.clone());
                resealed += 1;
            }
        }
        Ok(resealed)
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
    let faster = seal(&numbered(&[1]), SealedPlace::RootKey, &root);
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
    let foreign = seal(&numbered(&[1]), a_seed(), &root);
    *store.root.lock().unwrap() = Some(foreign);
    let foreign = Keyring::open(numbered(&[1]), &store).await.unwrap_err();
    assert!(foreign.to_string().contains("does not belong to this store"), "{foreign}");
}

#[tokio::test]
async fn a_key_that_another_process_added_is_found_and_seals_once_it_is_activated() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("master.key");
    let store = Shelf::default();
    let running = Keyring::open(MasterKeys::generate(&file).unwrap(), &store).await.unwrap();
    let old = running.sealer(&store).await.unwrap().seal(a_seed(), &Secret::new("seed"));
    let command = Keyring::open(added(&file), &store).await.unwrap();
    assert_eq!((active(&running, &store).await, active(&command, &store).await), (1, 1));
    assert_eq!(command.activate_newest(&store).await.unwrap().number(), 2);
    let sealer = running.sealer(&store).await.unwrap();
    let new = sealer.seal(a_seed(), &Secret::new("seed"));
    assert_eq!(seal::sealed_under(&new), Ok(2));
    let resealed = sealer.reseal(a_seed(), &old).unwrap().unwrap();
    assert_eq!((resealed.place, &resealed.old), (a_seed(), &old));
    assert_eq!(running.open_sealed(a_seed(), &resealed.new), Ok(Secret::new("seed")));
    assert!(sealer.reseal(a_seed(), &resealed.new).unwrap().is_none());
    std::fs::remove_file(&file).unwrap();
    for sealed in [old, new] {
        assert_eq!(running.open_sealed(a_seed(), &sealed), Ok(Secret::new("seed")));
    }
    assert_eq!(active(&running, &store).await, 2);
}

#[tokio::test]
async fn a_secret_under_a_key_that_another_process_added_opens() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("master.key");
    let running = Keyring::open(MasterKeys::generate(&file).unwrap(), &Shelf::default()).await.unwrap();
    let new = seal(&added(&file), a_seed(), &Secret::new("seed"));
    assert_eq!(running.open_sealed(a_seed(), &new), Ok(Secret::new("seed")));
}

#[tokio::test]
async fn a_key_is_found_though_all_that_were_known_are_gone() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("master.key");
    let store = Shelf::default();
    let running = Keyring::open(MasterKeys::generate(&file).unwrap(), &store).await.unwrap();
    Keyring::open(added(&file), &store).await.unwrap().activate_newest(&store).await.unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.lines().last().unwrap()).unwrap();
    assert_eq!(active(&running, &store).await, 2);
}

/// A number that no key has, as damage makes it, has the file read again.
#[tokio::test]
async fn a_file_of_another_store_takes_no_key_away() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("master.key");
    let store = Shelf::default();
    let running = Keyring::open(MasterKeys::generate(&file).unwrap(), &store).await.unwrap();
    let sealed = running.sealer(&store).await.unwrap().seal(a_seed(), &Secret::new("seed"));
    std::fs::remove_file(&file).unwrap();
    MasterKeys::generate(&file).unwrap();
    let damaged = seal(&numbered(&[9]), a_seed(), &Secret::new("seed"));
    assert_eq!(running.open_sealed(a_seed(), &damaged), Err(SealError::UnknownKey(9)));
    assert_eq!(running.open_sealed(a_seed(), &sealed), Ok(Secret::new("seed")));
    assert_eq!(active(&running, &store).await, 1);
}

/// A command has made another key of the number that the server had for one that was never activated.
#[tokio::test]
async fn a_key_that_was_replaced_in_the_file_opens_what_it_has_sealed() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("master.key");
    let store = Shelf::default();
    Keyring::open(MasterKeys::generate(&file).unwrap(), &store).await.unwrap();
    let first = std::fs::read(&file).unwrap();
    let running = Keyring::open(added(&file), &store).await.unwrap();
    std::fs::write(&file, first).unwrap();
    let command = Keyring::open(added(&file), &store).await.unwrap();
    let sealed = command.newest_sealer().seal(a_seed(), &Secret::new("seed"));
    assert_eq!(running.open_sealed(a_seed(), &sealed), Ok(Secret::new("seed")));
    command.activate_newest(&store).await.unwrap();
    assert_eq!(active(&running, &store).await, 2);
}

/// What is damaged, and opens with no key, has the file read again each time.
#[tokio::test]
async fn a_key_that_was_taken_out_of_the_file_goes_on_until_a_reload() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("master.key");
    let store = Shelf::default();
    let running = Keyring::open(MasterKeys::generate(&file).unwrap(), &store).await.unwrap();
    let old = running.newest_sealer().seal(a_seed(), &Secret::new("seed"));
    let new = seal(&added(&file), a_seed(), &Secret::new("seed"));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.lines().last().unwrap()).unwrap();
    for sealed in [&new, &old] {
        assert_eq!(running.open_sealed(a_seed(), sealed), Ok(Secret::new("seed")));
    }
    assert_eq!(running.open_sealed(SealedPlace::RootKey, &new), Err(SealError::Damaged));
    assert_eq!(running.open_sealed(a_seed(), &old), Ok(Secret::new("seed")));
}

#[tokio::test]
async fn what_the_store_says_seals_and_not_the_newest_key() {
    let store = Shelf::default();
    Keyring::open(numbered(&[1]), &store).await.unwrap();
    let keyring = Keyring::open(numbered(&[1, 2]), &store).await.unwrap();
    assert_eq!((active(&keyring, &store).await, keyring.newest_sealer().number()), (1, 2));
    keyring.activate_newest(&store).await.unwrap();
    // Nor the order in the file: this one has a further key by now.
    let staged = Keyring::open(numbered(&[1, 2, 3]), &store).await.unwrap();
    assert_eq!(active(&staged, &store).await, 2);
}

#[tokio::test]
async fn nothing_is_sealed_without_the_key_that_seals() {
    let store = Shelf::default();
    let without = Keyring::open(numbered(&[1]), &store).await.unwrap();
    Keyring::open(numbered(&[1, 2]), &store).await.unwrap().activate_newest(&store).await.unwrap();
    let gone = without.sealer(&store).await.unwrap_err();
    assert!(gone.to_string().contains("master key 2, which is not in master.key"), "{gone}");
    assert!(without.activate_newest(&store).await.is_err());
}

#[tokio::test]
async fn another_key_of_the_same_number_is_not_activated_and_seals_nothing() {
    let store = Shelf::default();
    Keyring::open(numbered(&[1]), &store).await.unwrap();
    let ours = Keyring::open(numbered(&[1, 2]), &store).await.unwrap();
    let theirs = Keyring::open(of_octets(&[(1, 1), (2, 9)]), &store).await.unwrap();
    ours.activate_newest(&store).await.unwrap();
    for error in [theirs.sealer(&store).await.unwrap_err(), theirs.activate_newest(&store).await.unwrap_err()]
    {
        assert!(error.to_string().contains("does not belong to this store"), "{error}");
    }
}

#[tokio::test]
async fn what_was_stored_and_cannot_be_sealed_anew_is_told() {
    let store = Shelf::default();
    let keyring = Keyring::open(numbered(&[1]), &store).await.unwrap();
    let lost = seal(&numbered(&[9]), a_seed(), &Secret::new("seed"));
    let told = keyring.settle(&store, a_seed(), &lost).await.unwrap_err();
    assert!(matches!(told, KeyringError::Unopened(SealError::UnknownKey(9))), "{told}");
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
