//! Keys are made, kept, opened again, and refused where they are not what was sealed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sasl::ScramParameters;
use store::{Accounts as _, AppPasswords as _, AuditFilter, NewAppPassword, Page, Scope};
use stores::{Accounts, Mode, Store};
use tempfile::TempDir;
use types::Mailbox;

use super::*;
use crate::keys::keyring::tests::keyring;
use crate::keys::scram_salt::SALT_OCTETS;
use crate::password_hash::hasher::CHEAP;

const ALICE: &str = "alice@example.org";
const TELEPHONE: CredentialId = CredentialId::from_bytes([1; 16]);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn letters() -> AppPassword {
    normalise(&Secret::new("abcdefghijklmnop")).unwrap()
}

/// Alice, who has an app password, and what keys are made with.
struct Scene {
    store: Store,
    keyring: Keyring,
    hasher: Hasher,
    account: Account,
    at_login: ScramAtLogin,
    _directory: TempDir,
}

impl Scene {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("store"), Mode::Server).await.unwrap();
        let account = Account::new(AccountId::from_bytes([1; 16]), Mailbox::parse(ALICE).unwrap(), at(0));
        store.accounts().add(&account, &Act::server(at(0))).await.unwrap();
        let app_password = store::AppPassword {
            id: TELEPHONE,
            account: account.id,
            label: "telephone".to_owned(),
            scopes: vec![Scope::Smtp],
            networks: Vec::new(),
            senders: Vec::new(),
            created_at: at(0),
            expires_at: None,
            last_used: None,
        };
        let (challenge_keys, version) = (Vec::new(), account.version);
        let new = NewAppPassword { app_password, digest: [1; 32], challenge_keys, version };
        store.accounts().create(&new, 10, &Act::server(at(0))).await.unwrap();
        let hasher = Hasher::new(CHEAP).unwrap();
        Self {
            store,
            keyring: keyring(),
            hasher,
            account,
            at_login: ScramAtLogin::default(),
            _directory: directory,
        }
    }

    fn accounts(&self) -> &Accounts {
        self.store.accounts()
    }

    async fn keep_scram(&self, password: &Password) -> Scram {
        let kept = keep_scram(self.accounts(), &self.keyring, &self.hasher, &self.account, password, at(1));
        kept.await.unwrap()
    }

    async fn keep_cram_md5(&self) -> bool {
        let app_password = (TELEPHONE, &letters());
        let key = cram_md5_key(&self.keyring.newest_sealer(), self.account.id, app_password, at(1));
        self.accounts().keep_challenge_key(&key, self.account.version).await.unwrap()
    }

    async fn log_in(&self, password: &Password, second: i64) {
        let Self { keyring, hasher, account, .. } = self;
        self.at_login.see_to(self.accounts(), keyring, hasher, account, password, at(second)).await;
    }

    /// The keys that are kept.
    async fn keys(&self, kind: ChallengeKind) -> Vec<ChallengeKey> {
        let challenged = self.accounts().challenged(&self.account.address, kind).await.unwrap();
        challenged.unwrap().1.into_iter().map(|(key, _)| key).collect()
    }

    fn open_scram(&self, key: &ChallengeKey) -> Result<Vec<ScramKeys>, SealError> {
        open_scram(self.accounts(), &self.keyring, &self.account, key, at(2))
    }

    fn open_cram_md5(&self, key: &ChallengeKey) -> Result<[Secret; 2], SealError> {
        open_cram_md5(self.accounts(), &self.keyring, &self.account, key, at(2))
    }

    /// How often the audit trail says that a secret did not open, and why.
    async fn unopened(&self) -> Vec<(String, u64)> {
        self.accounts().flush().await.unwrap();
        let filter = AuditFilter { action: Some(Action::SecretOpen), ..AuditFilter::default() };
        let entries = self.accounts().entries(&filter, Page::first(1000)).await.unwrap().entries;
        assert!(entries.iter().all(|entry| entry.event.account.as_deref() == Some(ALICE)));
        entries.into_iter().map(|entry| (entry.event.reason.into_owned(), entry.count)).collect()
    }
}

fn encoded(keys: &[ScramKeys]) -> Vec<[String; 2]> {
    keys.iter().map(|keys| [keys.stored_key(), keys.server_key()].map(|key| BASE64.encode(key))).collect()
}

#[test]
fn the_salt_of_a_known_name_never_changes() {
    // Else no key that was kept would be good for anything. Computed apart, with Python's hmac.
    let salt = 0xf21b_0fc1_439b_ba5a_f3d8_685c_5bd6_7590_u128.to_be_bytes();
    for name in [ALICE, "Alice@Example.ORG", "\"alice\"@example.org"] {
        let expected = ScramParameters { salt: salt.into(), iterations: 20_000 };
        assert_eq!(keyring().scram_parameters(name), expected, "{name}");
    }
}

#[test]
fn every_name_has_a_salt_of_its_own_whether_it_is_an_address_or_not() {
    let names =
        ["alice@example.org", "alise@example.org", "alice", "Alice", "", "alice@example.net", "alice "];
    let salts: std::collections::HashSet<Vec<u8>> =
        names.iter().map(|name| keyring().scram_parameters(name).salt).collect();
    assert_eq!(salts.len(), names.len());
    assert!(salts.iter().all(|salt| salt.len() == SALT_OCTETS));
}

#[tokio::test]
async fn an_app_password_has_the_known_keys_of_both_its_forms() {
    let scene = Scene::new().await;
    assert_eq!(scene.keep_scram(&Password::App(TELEPHONE, letters())).await, Scram::Kept);
    let [key] = &scene.keys(ChallengeKind::ScramSha256).await[..] else { panic!("one key") };
    assert_eq!((key.credential, key.made_at), (Some(TELEPHONE), at(1)));
    // Computed apart, with Python's hashlib, of `abcdefghijklmnop` and of `abcd efgh ijkl mnop`.
    let known = [
        ["WMHves8c64ZQjOXOoNRwbUr2Ek5u717PAVovBFC+unk=", "Vd+sAT3TqbKytRZT39Gmjoi2aC2jeWjBE1kb+7yN45g="],
        ["PuboVCHSp8uR2UNUWXGSGDDbpxEtiCMYeCDGlVzYwbs=", "0LfLxDlv4tQSfxISeSWGrAChbbvn8nchxYmPhPbc/0E="],
    ];
    assert_eq!(encoded(&scene.open_scram(key).unwrap()), known);
}

#[tokio::test]
async fn an_account_password_has_keys_of_what_saslprep_makes_of_it() {
    let scene = Scene::new().await;
    let password = |text: &str| Password::Account(Secret::new(text));
    assert_eq!(scene.keep_scram(&password("I\u{ad}X")).await, Scram::Kept);
    let [key] = &scene.keys(ChallengeKind::ScramSha256).await[..] else { panic!("one key") };
    assert_eq!(key.credential, None);
    let parameters = scene.keyring.scram_parameters(ALICE);
    let expected = ScramKeys::derive(&Secret::new("IX"), &parameters).unwrap();
    assert_eq!(encoded(&scene.open_scram(key).unwrap()), encoded(&[expected]));
    assert_eq!(scene.keep_scram(&password("\u{7}")).await, Scram::Unfit);
    assert_eq!(scene.keys(ChallengeKind::ScramSha256).await, std::slice::from_ref(key));
}

#[tokio::test]
async fn an_app_password_for_cram_md5_opens_in_both_its_forms() {
    let scene = Scene::new().await;
    assert!(scene.keep_cram_md5().await);
    let [key] = &scene.keys(ChallengeKind::CramMd5).await[..] else { panic!("one key") };
    let forms = ["abcdefghijklmnop", "abcd efgh ijkl mnop"].map(Secret::new);
    assert_eq!(scene.open_cram_md5(key), Ok(forms));
    assert_eq!(scene.unopened().await, []);
}

#[tokio::test]
async fn what_was_made_for_what_is_no_longer_so_is_not_kept() {
    let scene = Scene::new().await;
    scene.accounts().set_password(scene.account.id, "another", &Act::server(at(1))).await.unwrap();
    assert_eq!(scene.keep_scram(&Password::Account(Secret::new("old"))).await, Scram::Changed);
    assert!(!scene.keep_cram_md5().await);
    assert_eq!(scene.keys(ChallengeKind::ScramSha256).await, []);
}

#[tokio::test]
async fn what_was_not_sealed_there_fails_closed_and_is_told() {
    let scene = Scene::new().await;
    assert!(scene.keep_cram_md5().await);
    assert_eq!(scene.keep_scram(&Password::App(TELEPHONE, letters())).await, Scram::Kept);
    let [cram] = &scene.keys(ChallengeKind::CramMd5).await[..] else { panic!("one key") };
    let [scram] = &scene.keys(ChallengeKind::ScramSha256).await[..] else { panic!("one key") };
    let seal = |secret: &[u8]| scene.keyring.newest_sealer().seal(scram.place(), &Secret::new(secret));
    for damaged in [
        ChallengeKey { credential: None, ..scram.clone() },
        ChallengeKey { credential: Some(CredentialId::from_bytes([2; 16])), ..scram.clone() },
        ChallengeKey { account: AccountId::from_bytes([2; 16]), ..scram.clone() },
        ChallengeKey { made_at: at(3), ..scram.clone() },
        ChallengeKey { sealed: cram.sealed.clone(), ..scram.clone() },
        ChallengeKey { sealed: Vec::new(), ..scram.clone() },
        ChallengeKey { sealed: seal(b""), ..scram.clone() },
        ChallengeKey { sealed: seal(&[1; 63]), ..scram.clone() },
        ChallengeKey { sealed: seal(&[1; 65]), ..scram.clone() },
    ] {
        assert_eq!(scene.open_scram(&damaged).unwrap_err(), SealError::Damaged, "{damaged:?}");
    }
    let no_letters = scene.keyring.newest_sealer().seal(cram.place(), &Secret::new("abcdefghijklmno"));
    for sealed in [scram.sealed.clone(), no_letters] {
        let damaged = ChallengeKey { sealed, ..cram.clone() };
        assert_eq!(scene.open_cram_md5(&damaged), Err(SealError::Damaged));
    }
    let mut of_a_key_that_is_gone = scram.clone();
    of_a_key_that_is_gone.sealed[4] = 9;
    assert_eq!(scene.open_scram(&of_a_key_that_is_gone).unwrap_err(), SealError::UnknownKey(9));
    let mut told = scene.unopened().await;
    told.sort();
    assert_eq!(told, [("damaged".to_owned(), 11), ("unknown-key".to_owned(), 1)]);
}

#[tokio::test]
async fn a_login_makes_the_keys_once_and_then_knows_of_them() {
    let scene = Scene::new().await;
    let made_at = async || {
        scene.keys(ChallengeKind::ScramSha256).await.iter().map(|key| key.made_at).collect::<Vec<_>>()
    };
    let password = Password::App(TELEPHONE, letters());
    let settled = async || {
        let key = (scene.account.id, password.credential());
        scene.at_login.settled.at(scene.accounts().revision().await, &key).is_some()
    };
    scene.log_in(&password, 5).await;
    assert_eq!((made_at().await, settled().await), (vec![at(5)], false), "the store has changed by it");
    scene.log_in(&password, 6).await;
    assert_eq!((made_at().await, settled().await), (vec![at(5)], true));
    scene.log_in(&Password::Account(Secret::new("correct horse")), 7).await;
    assert_eq!(
        (made_at().await, settled().await),
        (vec![at(7), at(5)], false),
        "nothing is known of the store as it is now"
    );
    scene
        .accounts()
        .rename(scene.account.id, &Mailbox::parse("al@example.org").unwrap(), &Act::server(at(8)))
        .await
        .unwrap();
    scene.log_in(&password, 9).await;
    let renamed = scene.accounts().by_id(scene.account.id).await.unwrap().unwrap();
    let challenged = scene.accounts().challenged(&renamed.address, ChallengeKind::ScramSha256).await.unwrap();
    assert_eq!(challenged, Some((renamed, Vec::new())), "the account is another than the one that logged in");
}

#[tokio::test]
async fn a_password_that_saslprep_does_not_allow_is_tried_once() {
    let scene = Scene::new().await;
    scene.log_in(&Password::Account(Secret::new("\u{7}")), 5).await;
    let key = (scene.account.id, None);
    assert!(scene.at_login.settled.at(scene.accounts().revision().await, &key).is_some());
    assert_eq!(scene.keys(ChallengeKind::ScramSha256).await, []);
}

#[tokio::test]
async fn with_a_second_factor_there_are_keys_of_app_passwords_alone() {
    let mut scene = Scene::new().await;
    scene.account.totp = true;
    assert_eq!(scene.keep_scram(&Password::Account(Secret::new("correct horse"))).await, Scram::Unfit);
    assert_eq!(scene.keep_scram(&Password::App(TELEPHONE, letters())).await, Scram::Kept);
}

#[tokio::test]
async fn a_login_waits_for_no_core_and_does_not_fail_without_the_store() {
    let mut scene = Scene::new().await;
    let password = Password::App(TELEPHONE, letters());
    scene.hasher = Hasher::without_places();
    scene.log_in(&password, 5).await;
    assert_eq!(scene.keys(ChallengeKind::ScramSha256).await, []);
    scene.hasher = Hasher::new(CHEAP).unwrap();
    scene.store.close().await;
    scene.log_in(&password, 6).await;
}

#[test]
fn nothing_of_a_password_is_shown() {
    let passwords = [Password::Account(Secret::new("horse")), Password::App(TELEPHONE, letters())];
    let shown = format!("{passwords:?} {:?}", ScramAtLogin::default());
    assert!(!shown.contains("horse") && !shown.contains("abcd") && !shown.contains("104"), "{shown}");
}
