//! Every way to be accepted or refused, and what each costs: the judge on a store of SQLite.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sasl::{AuthHandler as _, Claim, Mechanism, PasswordClaim, Verdict};
use store::{
    Account, AccountFilter, Accounts as _, Act, Action, AppPassword, AppPasswords as _, Audit as _,
    AuditEntry, AuditFilter, Certificates as _, Counted, Identities as _, LastUse, NewAppPassword, Page,
    Scope, SecondFactors as _, ThrottleFilter, Throttles as _, Via,
};
use stores::{Accounts, Mode, Store};
use tempfile::TempDir;
use types::{AccountId, CredentialId, Mailbox, Secret, SessionFacts, SessionId};

use super::attempt::{Attempt, Door, Origin, Proof};
use super::authenticator::Authenticator;
use super::backend::Backend;
use super::outcome::{Credential, LoginOutcome, User};
use super::refusal_time::RefusalTime;
use crate::app_password;
use crate::keys::keyring::Keyring;
use crate::keys::master_key::MasterKeys;
use crate::password_hash::hasher::{CHEAP, Hasher};
use crate::policy::Policy;

mod certificate;
mod challenge;
mod gate;
mod newcomers;
mod refusals;
mod reports;
mod several_backends;
mod sign_in;
mod two_factor;

const ALICE: &str = "alice@example.org";
const PASSWORD: &str = "correct horse";
const NOON: i64 = 1_800_000_000;

fn noon() -> Timestamp {
    Timestamp::from_second(NOON).unwrap()
}

/// What Frank does at the command line.
fn frank() -> Act {
    Act::command("frank", noon())
}

fn in_ten_minutes() -> Timestamp {
    noon() + SignedDuration::from_mins(10)
}

fn session(peer: &str) -> SessionFacts {
    let local = "192.0.2.1:465".parse().unwrap();
    let peer = std::net::SocketAddr::new(peer.parse().unwrap(), 50_000);
    let mut session = SessionFacts::new(SessionId::new([1; 8]), peer, local);
    session.extended = true;
    session
}

fn claim(authzid: Option<&str>, username: &str, password: &str) -> Claim {
    let mut claim = PasswordClaim::new(Mechanism::Plain, username, Secret::new(password));
    claim.authzid = authzid.map(str::to_owned);
    Claim::Password(claim)
}

/// The same password for the same account.
fn again(claim: &Claim) -> Claim {
    let Claim::Password(claim) = claim else { panic!() };
    let mut again = PasswordClaim::new(claim.mechanism, &claim.username, claim.password.clone());
    again.authzid.clone_from(&claim.authzid);
    Claim::Password(again)
}

/// As the configuration has it at first.
fn usual() -> Policy {
    let allowance = |failures, seconds| (failures, SignedDuration::from_secs(seconds));
    cheap(Policy::new(true, allowance(5, 60), allowance(6, 180), allowance(50, 600)))
}

/// This policy, with hashes that cost tests no time.
fn cheap(policy: Policy) -> Policy {
    Policy { argon2: CHEAP, ..policy }
}

/// An authenticator on a store with `alice`, and what the tests do with it.
struct Scene {
    judge: Authenticator,
    store: Store,
    _directory: TempDir,
}

impl Scene {
    /// Throttles let everything through.
    async fn new() -> Self {
        let lots = (1000, SignedDuration::from_secs(60));
        Self::under(cheap(Policy::new(true, lots, lots, lots))).await
    }

    async fn under(policy: Policy) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("store"), Mode::Server).await.unwrap();
        let keys = MasterKeys::generate(&directory.path().join("master.key")).unwrap();
        let keyring = Arc::new(Keyring::open(keys, store.accounts()).await.unwrap());
        let hasher = Arc::new(Hasher::new(CHEAP).unwrap());
        let mut judge = Authenticator::new(
            store.accounts().clone(),
            keyring,
            hasher,
            policy,
            vec![Backend::Accounts],
            noon,
        );
        judge.refusal_time = RefusalTime::of(Duration::ZERO);
        let scene = Self { judge, store, _directory: directory };
        scene.account(ALICE, Some(PASSWORD)).await;
        scene
    }

    fn accounts(&self) -> &Accounts {
        self.store.accounts()
    }

    /// All failures that count at noon.
    async fn counted(&self) -> Vec<Counted> {
        self.accounts().counted(&ThrottleFilter::default(), Page::first(100), noon()).await.unwrap()
    }

    async fn account(&self, address: &str, password: Option<&str>) -> AccountId {
        let password_hash = match password {
            Some(password) => Some(self.judge.hasher.hash(Secret::new(password)).await.unwrap()),
            None => None,
        };
        let number = u8::try_from(
            self.accounts().list(&AccountFilter::default(), Page::first(200)).await.unwrap().len(),
        )
        .unwrap();
        let id = AccountId::from_bytes([number; 16]);
        let address = Mailbox::parse(address).unwrap();
        let account = Account { password_hash, ..Account::new(id, address, noon()) };
        self.accounts().add(&account, &frank()).await.unwrap();
        id
    }

    /// Makes an app password for an account and returns its letters.
    async fn app_password(&self, account: AccountId, change: impl Fn(&mut AppPassword)) -> String {
        let number =
            u8::try_from(self.accounts().of_account(account, Page::first(100)).await.unwrap().len()).unwrap();
        let mut id = [number; 16];
        id[..8].copy_from_slice(&account.as_bytes()[..8]);
        let mut app_password = app_password_of(account, CredentialId::from_bytes(id));
        change(&mut app_password);
        let letters = app_password::generate();
        let version = self.accounts().by_id(account).await.unwrap().unwrap().version;
        let digest = self.judge.digests.digest(&letters);
        let new = NewAppPassword { app_password, digest, challenge_keys: Vec::new(), version };
        self.accounts().create(&new, 200, &frank()).await.unwrap();
        letters.grouped().to_string()
    }

    /// The verdict, and how often Argon2 ran for it.
    async fn judge(&self, claim: Claim) -> (Verdict<User>, u64) {
        self.judge_from("198.51.100.7", claim).await
    }

    async fn judge_from(&self, peer: &str, claim: Claim) -> (Verdict<User>, u64) {
        let before = self.judge.hasher.argon2_runs();
        let verdict = self.judge.judge(claim, &session(peer)).await;
        (verdict, self.judge.hasher.argon2_runs() - before)
    }

    async fn log_in(&self, password: &str) -> Option<User> {
        match self.judge(claim(None, ALICE, password)).await.0 {
            Verdict::Accepted(proof) => Some(proof.into_user()),
            _ => None,
        }
    }

    /// Whether a session may go on, as it is told by whoever drives it.
    async fn still_holds(&self, user: &User) -> bool {
        let holds = self.judge.still_holds(user, &session("198.51.100.7")).await;
        assert_eq!(self.judge.session_rights(user).await.unwrap().is_some(), holds);
        holds
    }

    /// How often the audit trail has a refusal of this account for this reason, from where all of them come.
    async fn told(&self, reason: &str, account: &str) -> u64 {
        // What is no address may be a password, and is not told.
        let account = Some(account).filter(|_| reason != "not-an-address");
        let trail = self.trail().await.into_iter().filter(|entry| {
            let event = &entry.event;
            (&*event.reason, event.account.as_deref()) == (reason, account)
                && event.ip == Some("198.51.100.7".parse().unwrap())
        });
        trail.map(|entry| entry.count).sum()
    }

    /// The audit trail, newest first.
    async fn trail(&self) -> Vec<AuditEntry> {
        self.accounts().flush().await.unwrap();
        self.accounts()
            .entries(
                &AuditFilter { action: Some(Action::Login), ..AuditFilter::default() },
                Page::first(1000),
            )
            .await
            .unwrap()
            .entries
    }
}

/// An app password that is good for everything, everywhere and for ever.
fn app_password_of(account: AccountId, id: CredentialId) -> AppPassword {
    AppPassword {
        id,
        account,
        label: "test".to_owned(),
        scopes: vec![Scope::Smtp],
        networks: Vec::new(),
        senders: Vec::new(),
        created_at: noon(),
        expires_at: None,
        last_used: None,
    }
}

fn credential_of(user: &User) -> CredentialId {
    let Credential::AppPassword(id) = user.credential else { panic!("{user:?}") };
    id
}

const ALICE_ID: AccountId = AccountId::from_bytes([0; 16]);

#[tokio::test]
async fn whatever_is_refused_costs_one_run_once_and_reads_the_same() {
    let scene = Scene::new().await;
    let bob = scene.account("bob@example.org", None).await;
    let carol = scene.account("carol@example.org", Some(PASSWORD)).await;
    let of_bob = scene.app_password(bob, |_| ()).await;
    let of_carol = scene.app_password(carol, |_| ()).await;
    scene.accounts().set_disabled(carol, true, &frank()).await.unwrap();
    let expired = scene.app_password(ALICE_ID, |one| one.expires_at = Some(noon())).await;
    let elsewhere =
        scene.app_password(ALICE_ID, |one| one.networks = vec!["10.0.0.0/8".parse().unwrap()]).await;
    let unscoped = scene.app_password(ALICE_ID, |one| one.scopes.clear()).await;
    let id = CredentialId::from_bytes([9; 16]);
    let revoked = scene.app_password(ALICE_ID, |one| one.id = id).await;
    assert!(scene.accounts().revoke(ALICE_ID, id, &frank()).await.unwrap());
    for (reason, claim) in [
        ("bad-password", claim(None, ALICE, "wrong")),
        ("bad-password", claim(None, ALICE, "abcd efgh ijkl mnop")),
        ("unknown-user", claim(None, "nobody@example.org", PASSWORD)),
        ("app-password-of-another", claim(None, "nobody@example.org", &of_bob)),
        ("not-an-address", claim(None, "alice", PASSWORD)),
        ("not-an-address", claim(None, "' OR 1=1--@example.org", PASSWORD)),
        ("no-password", claim(None, "bob@example.org", PASSWORD)),
        ("disabled", claim(None, "carol@example.org", PASSWORD)),
        ("disabled", claim(None, "carol@example.org", &of_carol)),
        ("foreign-identity", claim(Some("carol@example.org"), ALICE, PASSWORD)),
        ("foreign-identity", claim(Some("root"), ALICE, "another one")),
        ("foreign-identity", claim(Some(ALICE), "bob@example.org", &of_bob)),
        ("app-password-of-another", claim(None, ALICE, &of_bob)),
        ("expired", claim(None, ALICE, &expired)),
        ("network-not-allowed", claim(None, ALICE, &elsewhere)),
        ("wrong-scope", claim(None, ALICE, &unscoped)),
        ("revoked", claim(None, ALICE, &revoked)),
    ] {
        let username = claim.username().unwrap_or_default().to_owned();
        let again = again(&claim);
        for (claim, expected_runs) in [(claim, 1), (again, 0)] {
            let before = scene.told(reason, &username).await;
            let (verdict, runs) = scene.judge(claim).await;
            assert!(matches!(verdict, Verdict::Refused(_)), "{reason}: {verdict:?}");
            assert_eq!(runs, expected_runs, "{reason}");
            assert_eq!(scene.told(reason, &username).await, before + 1, "{reason} {username}");
        }
    }
    assert_eq!(scene.accounts().by_id(ALICE_ID).await.unwrap().unwrap().last_login_at, None);
}

#[tokio::test]
async fn a_right_app_password_costs_no_run_however_many_there_are() {
    let scene = Scene::new().await;
    for _ in 0..50 {
        scene.app_password(ALICE_ID, |_| ()).await;
    }
    let right = scene.app_password(ALICE_ID, |_| ()).await;
    let newest = scene
        .accounts()
        .of_account(ALICE_ID, Page::first(100))
        .await
        .unwrap()
        .into_iter()
        .map(|one| one.id)
        .max();
    for spelling in [right.clone(), right.replace(' ', ""), format!(" {right}\t"), right.to_uppercase()] {
        let (verdict, runs) = scene.judge(claim(None, ALICE, &spelling)).await;
        let Verdict::Accepted(proof) = verdict else { panic!("{spelling:?}") };
        assert_eq!(Some(credential_of(proof.user())), newest);
        assert_eq!((runs, proof.identity()), (0, ALICE));
    }
}

#[tokio::test]
async fn the_last_use_is_told_to_the_store() {
    let scene = Scene::new().await;
    let right = scene.app_password(ALICE_ID, |_| ()).await;
    scene.judge_from("::ffff:198.51.100.7", claim(None, ALICE, &right)).await;
    scene.accounts().flush().await.unwrap();
    let last_use = LastUse { at: noon(), ip: "198.51.100.7".parse().unwrap(), mechanism: "PLAIN".to_owned() };
    assert_eq!(
        scene.accounts().of_account(ALICE_ID, Page::first(100)).await.unwrap()[0].last_used,
        Some(last_use)
    );
    assert_eq!(scene.accounts().by_id(ALICE_ID).await.unwrap().unwrap().last_login_at, Some(noon()));
}

#[tokio::test]
async fn a_network_admits_its_members_by_either_family() {
    let scene = Scene::new().await;
    let right = scene.app_password(ALICE_ID, |one| one.networks = vec!["10.0.0.0/8".parse().unwrap()]).await;
    for (peer, admitted) in
        [("10.9.8.7", true), ("::ffff:10.9.8.7", true), ("11.0.0.1", false), ("::1", false)]
    {
        let (verdict, _) = scene.judge_from(peer, claim(None, ALICE, &right)).await;
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
            matches!(&verdict, Verdict::Accepted(proof) if proof.user().credential == Credential::AccountPassword),
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
    assert!(matches!(verdict, Verdict::Refused(_)));
    assert_eq!(runs, 1);
}

#[tokio::test]
async fn a_changed_password_ends_the_old_one_at_once() {
    let scene = Scene::new().await;
    assert!(scene.log_in(PASSWORD).await.is_some());
    let hash = scene.judge.hasher.hash(Secret::new("new one")).await.unwrap();
    scene.accounts().set_password(ALICE_ID, &hash, &frank()).await.unwrap();
    assert!(scene.log_in(PASSWORD).await.is_none());
    assert!(scene.log_in("new one").await.is_some());
}

#[tokio::test]
async fn a_weaker_hash_is_made_anew_at_the_next_login_and_a_stronger_one_never() {
    let mut scene = Scene::new().await;
    let hash =
        async |scene: &Scene| scene.accounts().by_id(ALICE_ID).await.unwrap().unwrap().password_hash.unwrap();
    let dear = Arc::new(Hasher::new(crate::Cost { memory_kib: 16, ..CHEAP }).unwrap());
    let cheap = std::mem::replace(&mut scene.judge.hasher, dear);
    let user = scene.log_in(PASSWORD).await.unwrap();
    let strong = hash(&scene).await;
    assert!(strong.starts_with("$argon2id$v=19$m=16,"), "{strong}");
    assert!(scene.still_holds(&user).await, "the password is the same");
    for hasher in [Arc::clone(&scene.judge.hasher), cheap] {
        scene.judge.hasher = hasher;
        scene.accounts().set_disabled(ALICE_ID, false, &frank()).await.unwrap();
        assert_eq!(scene.judge(claim(None, ALICE, PASSWORD)).await.1, 1);
        assert_eq!(hash(&scene).await, strong);
    }
}

#[tokio::test]
async fn what_cannot_be_decided_is_neither_refused_nor_accepted() {
    let scene = Scene::new().await;
    scene.accounts().set_password(ALICE_ID, "damaged", &frank()).await.unwrap();
    assert!(matches!(scene.judge(claim(None, ALICE, PASSWORD)).await.0, Verdict::Unavailable));
    let right = scene.app_password(ALICE_ID, |_| ()).await;
    scene.store.close().await;
    for password in [PASSWORD, "wrong", &right] {
        assert!(matches!(scene.judge(claim(None, ALICE, password)).await.0, Verdict::Unavailable));
    }
}

#[tokio::test]
async fn a_session_by_password_holds_until_the_account_changes() {
    let scene = Scene::new().await;
    let user = scene.log_in(PASSWORD).await.unwrap();
    assert!(scene.still_holds(&user).await);
    scene.accounts().set_disabled(ALICE_ID, true, &frank()).await.unwrap();
    assert!(!scene.still_holds(&user).await);
    scene.accounts().set_disabled(ALICE_ID, false, &frank()).await.unwrap();
    assert!(!scene.still_holds(&user).await);
}

#[tokio::test]
async fn a_session_by_app_password_outlives_the_account_password_alone() {
    let mut scene = Scene::new().await;
    let end = in_ten_minutes();
    let right = scene.app_password(ALICE_ID, |one| one.expires_at = Some(end)).await;
    let user = scene.log_in(&right).await.unwrap();
    scene.accounts().set_password(ALICE_ID, "another", &frank()).await.unwrap();
    assert!(scene.still_holds(&user).await);

    scene.accounts().set_disabled(ALICE_ID, true, &frank()).await.unwrap();
    assert!(!scene.still_holds(&user).await);
    scene.accounts().set_disabled(ALICE_ID, false, &frank()).await.unwrap();
    assert!(scene.still_holds(&user).await);

    scene.judge.now = in_ten_minutes;
    assert!(!scene.still_holds(&user).await);
    scene.judge.now = noon;
    scene.accounts().revoke(ALICE_ID, credential_of(&user), &frank()).await.unwrap();
    assert!(!scene.still_holds(&user).await);
}

#[tokio::test]
async fn a_renamed_account_must_log_in_anew() {
    let scene = Scene::new().await;
    let right = scene.app_password(ALICE_ID, |_| ()).await;
    let (by_app, by_password) = (scene.log_in(&right).await.unwrap(), scene.log_in(PASSWORD).await.unwrap());
    let alicia = Mailbox::parse("alicia@example.org").unwrap();
    scene.accounts().rename(ALICE_ID, &alicia, &frank()).await.unwrap();
    assert!(!scene.still_holds(&by_app).await);
    assert!(!scene.still_holds(&by_password).await);
}

#[tokio::test]
async fn what_a_user_may_do_follows_the_store() {
    let scene = Scene::new().await;
    let only = |one: &mut AppPassword| one.senders = vec!["alice@example.org".parse().unwrap()];
    let user = scene.log_in(&scene.app_password(ALICE_ID, only).await).await.unwrap();
    let rights = scene.judge.session_rights(&user).await.unwrap().unwrap();
    assert_eq!((rights.identities.len(), rights.senders.len()), (0, 1));
    let sales = store::Identity { sender: "*@sales.example.org".parse().unwrap(), created_at: noon() };
    scene.accounts().add_identity(ALICE_ID, &sales, &frank()).await.unwrap();
    assert_eq!(
        scene.judge.session_rights(&user).await.unwrap().unwrap().identities,
        std::slice::from_ref(&sales.sender)
    );
    scene.accounts().remove_identity(ALICE_ID, &sales.sender, &frank()).await.unwrap();
    assert!(scene.judge.session_rights(&user).await.unwrap().unwrap().identities.is_empty());
}

#[tokio::test]
async fn an_attempt_that_is_only_examined_is_no_login() {
    let scene = Scene::new().await;
    let right = scene.app_password(ALICE_ID, |_| ()).await;
    let origin = Origin::examined("198.51.100.7".parse().unwrap(), frank());
    for (door, reason) in [(Door::Smtp, "ok"), (Door::Master, "wrong-scope")] {
        let attempt = Attempt {
            authzid: None,
            username: Some(ALICE.to_owned()),
            proof: Proof::Password { password: Secret::new(right.as_str()), code: None },
            door,
            answers: None,
        };
        let outcome = scene.judge.examine(attempt, &origin).await;
        assert_eq!(outcome.reason(), reason);
        assert_eq!(
            outcome.credential(),
            Some(scene.accounts().of_account(ALICE_ID, Page::first(100)).await.unwrap()[0].id.to_string())
        );
    }
    let trail = scene.trail().await;
    assert_eq!(trail.len(), 2);
    for entry in trail {
        assert_eq!((entry.event.actor.as_deref(), entry.event.via), (Some("frank"), Some(Via::Cli)));
    }
    assert_eq!(scene.accounts().by_id(ALICE_ID).await.unwrap().unwrap().last_login_at, None);
}

#[tokio::test]
async fn a_name_without_a_domain_is_counted_and_told_with_the_default_one() {
    let default_domain = Some(types::Domain::parse("example.org").unwrap());
    let scene = Scene::under(Policy { default_domain, ..usual() }).await;
    for (authzid, name) in [(None, "alice"), (Some(ALICE), "Alice"), (Some("alice"), ALICE)] {
        let (verdict, _) = scene.judge(claim(authzid, name, PASSWORD)).await;
        assert!(matches!(verdict, Verdict::Accepted(_)), "{authzid:?} {name}");
    }
    for (authzid, name) in [(Some("bob"), "alice"), (None, "alice@"), (None, ""), (None, "alice")] {
        let (verdict, _) = scene.judge(claim(authzid, name, "wrong")).await;
        assert!(matches!(verdict, Verdict::Refused(_)), "{authzid:?} {name}");
    }
    let names: std::collections::BTreeSet<_> =
        scene.trail().await.into_iter().map(|entry| entry.event.account.unwrap_or_default()).collect();
    // What is neither an account nor a complete address may be a password, and is told nowhere.
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), ["", ALICE]);
    let parameters = async |name| scene.judge.scram_parameters(name, &session("198.51.100.7")).await.unwrap();
    assert_eq!(parameters("alice").await, parameters(ALICE).await);
}
