//! Every way to be accepted or refused, and what each costs.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::SignedDuration;
use store::Revision;
use types::SessionId;

use super::*;
use crate::app_password;
use crate::hasher::CHEAP;
use crate::key::keyed;

const ALICE: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";
const NOON: i64 = 1_800_000_000;

/// A store that keeps everything in memory, and fails when told to.
#[derive(Default)]
struct Memory {
    accounts: Mutex<Vec<Account>>,
    app_passwords: Mutex<Vec<(AppPassword, [u8; 32])>>,
    uses: Mutex<Vec<(CredentialId, LastUse)>>,
    log_ins: Mutex<Vec<AccountId>>,
    out_of_order: Mutex<bool>,
    reads: AtomicU64,
}

impl Memory {
    fn find(&self, is: impl Fn(&Account) -> bool) -> Result<Option<Account>, store::Error> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if *self.out_of_order.lock().unwrap() {
            return Err(store::Error::Unavailable("out of order".into()));
        }
        Ok(self.accounts.lock().unwrap().iter().find(|account| is(account)).cloned())
    }

    fn find_app(
        &self,
        is: impl Fn(&AppPassword, &[u8; 32]) -> bool,
    ) -> Result<Option<(AppPassword, Account)>, store::Error> {
        let found = self.app_passwords.lock().unwrap().iter().find(|(one, digest)| is(one, digest)).cloned();
        let Some((password, _)) = found else { return self.find(|_| false).map(|_| None) };
        Ok(self.find(|account| account.id == password.account)?.map(|account| (password, account)))
    }

    fn change(&self, change: impl Fn(&mut Account)) {
        let mut accounts = self.accounts.lock().unwrap();
        let account = accounts.iter_mut().find(|account| account.address.to_string() == ALICE).unwrap();
        change(account);
        account.version += 1;
    }
}

impl Accounts for Memory {
    async fn add(&self, account: &Account) -> Result<(), store::Error> {
        self.accounts.lock().unwrap().push(account.clone());
        Ok(())
    }
    async fn by_address(&self, address: &Mailbox) -> Result<Option<Account>, store::Error> {
        self.find(|account| account.address.normal() == address.normal())
    }
    async fn by_id(&self, id: AccountId) -> Result<Option<Account>, store::Error> {
        self.find(|account| account.id == id)
    }
    async fn list(&self) -> Result<Vec<Account>, store::Error> {
        unreachable!()
    }
    async fn import(&self, _: &store::Import) -> Result<(), store::Error> {
        unreachable!()
    }
    async fn set_password(&self, _: AccountId, _: &str, _: Timestamp) -> Result<(), store::Error> {
        unreachable!()
    }
    async fn rehash(&self, _: AccountId, _: &str, _: &str, _: Timestamp) -> Result<bool, store::Error> {
        unreachable!()
    }
    async fn rename(&self, _: AccountId, _: &Mailbox, _: Timestamp) -> Result<(), store::Error> {
        unreachable!()
    }
    async fn set_disabled(&self, _: AccountId, _: bool, _: Timestamp) -> Result<(), store::Error> {
        unreachable!()
    }
    async fn remove(&self, _: AccountId, _: Timestamp) -> Result<(), store::Error> {
        unreachable!()
    }
    fn revision(&self) -> Option<Revision> {
        let mut hasher = DefaultHasher::new();
        format!("{:?} {:?}", self.accounts.lock().unwrap(), self.app_passwords.lock().unwrap())
            .hash(&mut hasher);
        Some(Revision(hasher.finish()))
    }
    fn logged_in(&self, id: AccountId, _: Timestamp, _: Option<ipnet::IpNet>) {
        self.log_ins.lock().unwrap().push(id);
    }
    async fn flush(&self) -> Result<(), store::Error> {
        unreachable!()
    }
}

impl AppPasswords for Memory {
    async fn create(&self, password: &AppPassword, digest: &[u8; 32], _: u32) -> Result<(), store::Error> {
        self.app_passwords.lock().unwrap().push((password.clone(), *digest));
        Ok(())
    }
    async fn by_digest(&self, wanted: &[u8; 32]) -> Result<Option<(AppPassword, Account)>, store::Error> {
        self.find_app(|_, digest| digest == wanted)
    }
    async fn by_credential(&self, id: CredentialId) -> Result<Option<(AppPassword, Account)>, store::Error> {
        self.find_app(|password, _| password.id == id)
    }
    async fn of_account(&self, _: AccountId) -> Result<Vec<AppPassword>, store::Error> {
        unreachable!()
    }
    async fn revoke(&self, _: AccountId, _: CredentialId, _: Timestamp) -> Result<bool, store::Error> {
        unreachable!()
    }
    async fn imported(&self, _: &[u8; 32]) -> Result<Vec<(String, AppPassword, Account)>, store::Error> {
        unreachable!()
    }
    async fn adopt(&self, _: CredentialId, _: &[u8; 32], _: Timestamp) -> Result<bool, store::Error> {
        unreachable!()
    }
    fn used(&self, id: CredentialId, last_use: LastUse) {
        self.uses.lock().unwrap().push((id, last_use));
    }
}

fn noon() -> Timestamp {
    Timestamp::from_second(NOON).unwrap()
}

fn in_ten_minutes() -> Timestamp {
    noon() + SignedDuration::from_mins(10)
}

fn session(peer: &str) -> SessionFacts {
    let local = "192.0.2.1:465".parse().unwrap();
    let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 50_000);
    SessionFacts { id: SessionId::new([1; 8]), peer, local, tls: None, ehlo: None, extended: true }
}

fn claim(authzid: Option<&str>, username: &str, password: &str) -> Claim {
    Claim::Password(PasswordClaim {
        mechanism: Mechanism::Plain,
        authzid: authzid.map(str::to_owned),
        username: username.to_owned(),
        password: Secret::new(password),
    })
}

/// An authenticator on a store with `alice`, and what the tests do with it.
struct Scene {
    judge: Authenticator<Memory>,
    store: Arc<Memory>,
}

impl Scene {
    async fn new() -> Self {
        let (store, hasher) = (Arc::new(Memory::default()), Arc::new(Hasher::new(CHEAP).unwrap()));
        let digests = AppPasswordKey::with(keyed(&[7; 32]));
        let recent = Recent::new();
        let (found, standing) = (Standing::new(), Standing::new());
        let judge =
            Authenticator { store: Arc::clone(&store), digests, hasher, recent, found, standing, now: noon };
        let scene = Self { judge, store };
        scene.account(ALICE, Some(PASSWORD)).await;
        scene
    }

    async fn account(&self, address: &str, password: Option<&str>) -> AccountId {
        let mut password_hash = None;
        if let Some(password) = password {
            password_hash = Some(self.judge.hasher.hash(Secret::new(password)).await.unwrap());
        }
        let number = u8::try_from(self.store.accounts.lock().unwrap().len()).unwrap();
        let id = AccountId::from_bytes([number; 16]);
        let account = Account {
            id,
            address: Mailbox::parse(address).unwrap(),
            name: None,
            admin: false,
            disabled: false,
            password_hash,
            totp: false,
            version: 1,
            created_at: noon(),
            last_login_at: None,
        };
        self.store.add(&account).await.unwrap();
        id
    }

    /// Makes an app password for an account and returns its letters.
    async fn app_password(&self, account: AccountId, change: impl Fn(&mut AppPassword)) -> String {
        let number = u8::try_from(self.store.app_passwords.lock().unwrap().len()).unwrap();
        let mut password = AppPassword {
            id: CredentialId::from_bytes([number; 16]),
            account,
            label: "test".to_owned(),
            scopes: vec![Scope::Smtp],
            networks: Vec::new(),
            senders: Vec::new(),
            created_at: noon(),
            expires_at: None,
            last_used: None,
        };
        change(&mut password);
        let letters = app_password::generate();
        self.store.create(&password, &self.judge.digests.digest(&letters), 50).await.unwrap();
        letters.grouped().to_string()
    }

    /// The verdict, and how often Argon2 ran for it.
    async fn judge(&self, claim: Claim) -> (Verdict<User>, u64) {
        let before = self.judge.hasher.argon2_runs();
        let verdict = self.judge.judge(claim, &session("198.51.100.7")).await;
        (verdict, self.judge.hasher.argon2_runs() - before)
    }

    async fn log_in(&self, password: &str) -> Option<User> {
        match self.judge(claim(None, ALICE, password)).await.0 {
            Verdict::Accepted(proof) => Some(proof.into_user()),
            _ => None,
        }
    }
}

const ALICE_ID: AccountId = AccountId::from_bytes([0; 16]);

#[tokio::test]
async fn whatever_is_refused_costs_one_run_and_reads_the_same() {
    let scene = Scene::new().await;
    let bob = scene.account("bob@example.org", None).await;
    let carol = scene.account("carol@example.org", Some(PASSWORD)).await;
    scene.store.accounts.lock().unwrap().last_mut().unwrap().disabled = true;
    let of_bob = scene.app_password(bob, |_| ()).await;
    let of_carol = scene.app_password(carol, |_| ()).await;
    let expired = scene.app_password(ALICE_ID, |one| one.expires_at = Some(noon())).await;
    let elsewhere =
        scene.app_password(ALICE_ID, |one| one.networks = vec!["10.0.0.0/8".parse().unwrap()]).await;
    let unscoped = scene.app_password(ALICE_ID, |one| one.scopes.clear()).await;
    for (case, claim) in [
        ("wrong password", claim(None, ALICE, "wrong")),
        ("wrong app password", claim(None, ALICE, "abcd efgh ijkl mnop")),
        ("unknown user", claim(None, "nobody@example.org", PASSWORD)),
        ("unknown user, app password", claim(None, "nobody@example.org", &of_bob)),
        ("no address", claim(None, "alice", PASSWORD)),
        ("address with a quote", claim(None, "' OR 1=1--@example.org", PASSWORD)),
        ("no password set", claim(None, "bob@example.org", PASSWORD)),
        ("disabled", claim(None, "carol@example.org", PASSWORD)),
        ("disabled, app password", claim(None, "carol@example.org", &of_carol)),
        ("foreign authzid", claim(Some("carol@example.org"), ALICE, PASSWORD)),
        ("authzid that is no address", claim(Some("root"), ALICE, PASSWORD)),
        ("foreign authzid, app password", claim(Some(ALICE), "bob@example.org", &of_bob)),
        ("app password of another", claim(None, ALICE, &of_bob)),
        ("expired app password", claim(None, ALICE, &expired)),
        ("app password from elsewhere", claim(None, ALICE, &elsewhere)),
        ("app password without the scope", claim(None, ALICE, &unscoped)),
    ] {
        let (verdict, runs) = scene.judge(claim).await;
        assert!(matches!(verdict, Verdict::Refused), "{case}: {verdict:?}");
        assert_eq!(runs, 1, "{case}");
    }
    assert!(scene.store.log_ins.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_right_app_password_costs_no_run_however_many_there_are() {
    let scene = Scene::new().await;
    for _ in 0..50 {
        scene.app_password(ALICE_ID, |_| ()).await;
    }
    let right = scene.app_password(ALICE_ID, |_| ()).await;
    for spelling in [right.clone(), right.replace(' ', ""), format!(" {right}\t")] {
        let (verdict, runs) = scene.judge(claim(None, ALICE, &spelling)).await;
        let Verdict::Accepted(proof) = verdict else { panic!("{spelling:?}") };
        assert_eq!(proof.user().credential, Some(CredentialId::from_bytes([50; 16])));
        assert_eq!((runs, proof.identity()), (0, ALICE));
    }
}

#[tokio::test]
async fn the_last_use_is_told_to_the_store() {
    let scene = Scene::new().await;
    let right = scene.app_password(ALICE_ID, |_| ()).await;
    scene.judge.judge(claim(None, ALICE, &right), &session("::ffff:198.51.100.7")).await;
    let last_use = LastUse { at: noon(), ip: "198.51.100.7".parse().unwrap(), mechanism: "PLAIN".to_owned() };
    assert_eq!(*scene.store.uses.lock().unwrap(), [(CredentialId::from_bytes([0; 16]), last_use)]);
    assert_eq!(*scene.store.log_ins.lock().unwrap(), [ALICE_ID]);
}

#[tokio::test]
async fn a_network_admits_its_members_by_either_family() {
    let scene = Scene::new().await;
    let right = scene.app_password(ALICE_ID, |one| one.networks = vec!["10.0.0.0/8".parse().unwrap()]).await;
    for (peer, admitted) in
        [("10.9.8.7", true), ("::ffff:10.9.8.7", true), ("11.0.0.1", false), ("::1", false)]
    {
        let verdict = scene.judge.judge(claim(None, ALICE, &right), &session(peer)).await;
        assert_eq!(matches!(verdict, Verdict::Accepted(_)), admitted, "{peer}");
    }
}

#[tokio::test]
async fn an_account_password_is_hashed_once_and_then_remembered() {
    let mut scene = Scene::new().await;
    for (expected_runs, username) in
        [(1, ALICE), (0, ALICE), (0, "Alice@EXAMPLE.org"), (0, "alice@example.org")]
    {
        let (verdict, runs) = scene.judge(claim(Some(ALICE), username, PASSWORD)).await;
        assert!(
            matches!(&verdict, Verdict::Accepted(proof) if proof.user().credential.is_none()),
            "{username}"
        );
        assert_eq!(runs, expected_runs, "{username}");
    }
    scene.judge.now = in_ten_minutes;
    assert_eq!(scene.judge(claim(None, ALICE, PASSWORD)).await.1, 1);
}

#[tokio::test]
async fn what_is_remembered_of_one_is_worth_nothing_for_another() {
    let scene = Scene::new().await;
    scene.account("bob@example.org", Some("another one")).await;
    assert!(scene.log_in(PASSWORD).await.is_some());
    let (verdict, runs) = scene.judge(claim(None, "bob@example.org", PASSWORD)).await;
    assert!(matches!(verdict, Verdict::Refused));
    assert_eq!(runs, 1);
}

#[tokio::test]
async fn a_changed_password_ends_the_old_one_at_once() {
    let scene = Scene::new().await;
    assert!(scene.log_in(PASSWORD).await.is_some());
    let hash = scene.judge.hasher.hash(Secret::new("new one")).await.unwrap();
    scene.store.change(|account| account.password_hash = Some(hash.clone()));
    assert!(scene.log_in(PASSWORD).await.is_none());
    assert!(scene.log_in("new one").await.is_some());
}

#[tokio::test]
async fn what_cannot_be_decided_is_neither_refused_nor_accepted() {
    let scene = Scene::new().await;
    let right = scene.app_password(ALICE_ID, |_| ()).await;
    *scene.store.out_of_order.lock().unwrap() = true;
    for password in [PASSWORD, "wrong", &right] {
        assert!(matches!(scene.judge(claim(None, ALICE, password)).await.0, Verdict::Unavailable));
    }
    *scene.store.out_of_order.lock().unwrap() = false;
    scene.store.change(|account| account.password_hash = Some("damaged".to_owned()));
    assert!(matches!(scene.judge(claim(None, ALICE, PASSWORD)).await.0, Verdict::Unavailable));
}

#[tokio::test]
async fn a_session_by_password_holds_until_the_account_changes() {
    let scene = Scene::new().await;
    let user = scene.log_in(PASSWORD).await.unwrap();
    assert!(scene.judge.still_holds(&user).await.unwrap());
    scene.store.change(|account| account.disabled = true);
    assert!(!scene.judge.still_holds(&user).await.unwrap());
    scene.store.change(|account| account.disabled = false);
    assert!(!scene.judge.still_holds(&user).await.unwrap());
}

#[tokio::test]
async fn a_session_by_app_password_outlives_the_account_password_alone() {
    let mut scene = Scene::new().await;
    let end = in_ten_minutes();
    let right = scene.app_password(ALICE_ID, |one| one.expires_at = Some(end)).await;
    let user = scene.log_in(&right).await.unwrap();
    scene.store.change(|account| account.password_hash = None);
    assert!(scene.judge.still_holds(&user).await.unwrap());

    scene.store.change(|account| account.disabled = true);
    assert!(!scene.judge.still_holds(&user).await.unwrap());
    scene.store.change(|account| account.disabled = false);
    assert!(scene.judge.still_holds(&user).await.unwrap());

    scene.judge.now = in_ten_minutes;
    assert!(!scene.judge.still_holds(&user).await.unwrap());
    scene.judge.now = noon;
    scene.store.app_passwords.lock().unwrap().clear();
    assert!(!scene.judge.still_holds(&user).await.unwrap());
}

#[tokio::test]
async fn while_nothing_changes_the_store_is_not_read_again() {
    let scene = Scene::new().await;
    let user = scene.log_in(PASSWORD).await.unwrap();
    let reads = || scene.store.reads.load(Ordering::Relaxed);
    let at_login = reads();
    assert!(scene.judge.still_holds(&user).await.unwrap());
    assert_eq!(reads(), at_login);
    scene.account("bob@example.org", None).await;
    for _ in 0..3 {
        assert!(scene.judge.still_holds(&user).await.unwrap());
        assert_eq!(reads(), at_login + 1, "once for each change, whoever's it is");
    }

    let right = scene.app_password(ALICE_ID, |_| ()).await;
    assert!(scene.log_in(&right).await.is_some());
    let first = reads();
    assert!(scene.log_in(&right).await.is_some());
    assert_eq!(reads(), first);
    scene.store.app_passwords.lock().unwrap().clear();
    assert!(scene.log_in(&right).await.is_none());
}

#[tokio::test]
async fn a_renamed_account_must_log_in_anew() {
    let scene = Scene::new().await;
    let right = scene.app_password(ALICE_ID, |_| ()).await;
    let (by_app, by_password) = (scene.log_in(&right).await.unwrap(), scene.log_in(PASSWORD).await.unwrap());
    scene.store.change(|account| account.address = Mailbox::parse("alicia@example.org").unwrap());
    assert!(!scene.judge.still_holds(&by_app).await.unwrap());
    assert!(!scene.judge.still_holds(&by_password).await.unwrap());
}
