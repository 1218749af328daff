//! `gatepost key rotate` and `key activate`, killed at any moment, and what the commands say of keys that are not right.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Instant;

use auth::{Keyring, MasterKeys, SealError};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::{
    Account, Accounts as _, Act, ChallengeKey, ChallengeKeys as _, ChallengeKind, Import,
    ImportedSecondFactor, SealedPlace, SealedSecrets as _,
};
use stores::{Mode, Store};
use types::{AccountId, Mailbox, Secret};

/// Enough that a rotation takes a while: several batches.
const SECRETS: u16 = 2000;

/// How many of their owners have a challenge key besides.
const KEYS: u16 = 1000;

/// How often it is killed, at moments spread over the time that it takes.
const KILLS: u32 = 6;

/// A store with a key file, and an account with an app password.
struct Site {
    directory: tempfile::TempDir,
}

impl Site {
    fn new() -> Site {
        let site = Site { directory: tempfile::tempdir().unwrap() };
        let text = "hostname = \"mail.example.org\"\n\
            [storage]\nurl = \"sqlite:store\"\nmaster_key_file = \"master.key\"\n\
            [[listen]]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\n\
            [delivery]\nvia = \"hold\"\n";
        fs::write(site.path("gatepost.toml"), text).unwrap();
        MasterKeys::generate(&site.key()).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn key(&self) -> PathBuf {
        self.path("master.key")
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
        command.args(arguments).env("GATEPOST_CONFIG", self.path("gatepost.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.spawn(arguments).wait_with_output().unwrap()
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What a command says that must fail.
    fn fault(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {output:?}");
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    async fn store(&self) -> Store {
        Store::open(&self.path("store"), Mode::Command).await.unwrap()
    }

    async fn keyring(&self, store: &Store) -> Keyring {
        Keyring::open(MasterKeys::load(&self.key()).unwrap(), store.accounts()).await.unwrap()
    }

    /// Puts so many seeds into the store, each sealed.
    async fn fill(&self, seeds: u16) {
        let store = self.store().await;
        let sealer = self.keyring(&store).await.sealer(store.accounts()).await.unwrap();
        for number in 0..seeds {
            let place = place(number);
            let SealedPlace::TotpSeed { account, enrolled_at } = place else { unreachable!() };
            let import = Import {
                account: owner(number, account),
                app_passwords: Vec::new(),
                second_factor: Some(ImportedSecondFactor {
                    seed: sealer.seal(place, &seed(number)),
                    enrolled_at,
                }),
                identities: Vec::new(),
            };
            store.accounts().import(&import, &Act::server(enrolled_at)).await.unwrap();
        }
        store.close().await;
    }

    /// Gives so many of the accounts a challenge key each, sealed.
    async fn fill_keys(&self, keys: u16) {
        let store = self.store().await;
        let sealer = self.keyring(&store).await.sealer(store.accounts()).await.unwrap();
        for number in 0..keys {
            let SealedPlace::TotpSeed { account, enrolled_at } = place(number) else { unreachable!() };
            let kind = ChallengeKind::ALL[usize::from(number % 2)];
            let sealed = Vec::new();
            let mut key = ChallengeKey { kind, account, credential: None, made_at: enrolled_at, sealed };
            key.sealed = sealer.seal(key.place(), &seed(number));
            assert!(store.accounts().keep_challenge_key(&key, 1).await.unwrap());
        }
        store.close().await;
    }

    /// Opens every secret there is; under which keys they are, each with how many.
    async fn opened(&self) -> std::collections::BTreeMap<u32, usize> {
        let store = self.store().await;
        let keyring = self.keyring(&store).await;
        let mut keys = std::collections::BTreeMap::new();
        let sealed = store.accounts().sealed(None, u32::MAX).await.unwrap();
        for (place, sealed) in &sealed {
            let opened = keyring.open_sealed(*place, sealed).unwrap();
            if let Some(number) = number(*place) {
                assert_eq!(opened, seed(number));
            }
            *keys.entry(u32::from_be_bytes(sealed[1..5].try_into().unwrap())).or_default() += 1;
        }
        store.close().await;
        keys
    }

    /// Leaves only the line of this key in the file.
    fn keep_key(&self, id: u32) {
        let text = fs::read_to_string(self.key()).unwrap();
        let line = text.lines().find(|line| line.starts_with(&format!("{id} "))).unwrap();
        fs::write(self.key(), format!("{line}\n")).unwrap();
    }
}

fn place(number: u16) -> SealedPlace {
    let [high, low] = number.to_be_bytes();
    let mut id = [0; 16];
    (id[0], id[1]) = (high, low);
    SealedPlace::TotpSeed {
        account: AccountId::from_bytes(id),
        enrolled_at: Timestamp::from_millisecond(1_700_000_000_000 + i64::from(number)).unwrap(),
    }
}

fn number(place: SealedPlace) -> Option<u16> {
    let (SealedPlace::TotpSeed { account, .. } | SealedPlace::ChallengeKey { account, .. }) = place else {
        return None;
    };
    account.as_bytes().first_chunk().map(|octets| u16::from_be_bytes(*octets))
}

fn seed(number: u16) -> Secret {
    Secret::new(format!("the seed of number {number}"))
}

fn owner(number: u16, id: AccountId) -> Account {
    let address = Mailbox::parse(&format!("user{number}@example.org")).unwrap();
    Account::new(id, address, Timestamp::UNIX_EPOCH)
}

fn keys_in(file: &Path) -> usize {
    fs::read_to_string(file).unwrap().lines().filter(|line| !line.starts_with('#')).count()
}

#[tokio::test]
async fn a_rotation_killed_at_any_moment_is_ended_by_the_next() {
    let site = Site::new();
    site.fill(SECRETS).await;
    site.fill_keys(KEYS).await;
    let all = usize::from(SECRETS + KEYS) + 1;
    assert_eq!(site.opened().await, [(1, all)].into());
    let start = Instant::now();
    assert_eq!(site.json(&["key", "rotate"]), json!({"key": 2, "resealed": all}));
    let (whole, mut turn, mut broken_off) = (start.elapsed(), 0, 0);
    // On a busy machine no two of them take the same time, so all of the moments may miss.
    while turn < KILLS || (broken_off == 0 && turn < 10 * KILLS) {
        turn += 1;
        let mut rotation = site.spawn(&["key", "rotate"]);
        std::thread::sleep(whole * (turn % KILLS + 1) / KILLS);
        rotation.kill().unwrap();
        rotation.wait().unwrap();
        let keys = site.opened().await;
        assert_eq!(keys.values().sum::<usize>(), all);
        broken_off += usize::from(keys.len() > 1);
    }
    assert!(broken_off > 0, "no kill came half-way");
    site.json(&["key", "rotate"]);
    let newest = u32::try_from(keys_in(&site.key())).unwrap();
    assert_eq!(site.opened().await, [(newest, all)].into());
    site.keep_key(newest);
    assert_eq!(site.opened().await, [(newest, all)].into());
}

#[tokio::test]
async fn an_activation_killed_at_any_moment_is_ended_by_the_next() {
    let site = Site::new();
    site.fill(SECRETS).await;
    let all = usize::from(SECRETS) + 1;
    site.json(&["key", "add"]);
    let start = Instant::now();
    assert_eq!(site.json(&["key", "activate"]), json!({"key": 2, "resealed": all}));
    let (whole, mut key, mut broken_off) = (start.elapsed(), 2, 0);
    while key < 2 + KILLS || (broken_off == 0 && key < 2 + 10 * KILLS) {
        key += 1;
        assert_eq!(site.json(&["key", "add"]), json!({"key": key}));
        let mut activation = site.spawn(&["key", "activate"]);
        std::thread::sleep(whole * (key % KILLS + 1) / KILLS);
        activation.kill().unwrap();
        activation.wait().unwrap();
        let keys = site.opened().await;
        assert_eq!(keys.values().sum::<usize>(), all);
        broken_off += usize::from(keys.len() > 1);
        assert_eq!(site.json(&["key", "activate"])["key"], key, "no further one is made");
        assert_eq!(site.opened().await, [(key, all)].into());
    }
    assert!(broken_off > 0, "no kill came half-way");
    site.keep_key(key);
    assert_eq!(site.opened().await, [(key, all)].into());
}

/// Each command is a process that has read the key file and the store before, and stores what it has sealed behind.
#[tokio::test]
async fn what_is_sealed_while_a_key_is_activated_ends_under_it() {
    let site = Site::new();
    site.fill(200).await;
    site.json(&["key", "add"]);
    let create = |n: usize| {
        site.spawn(&["app-password", "create", "user0@example.org", "--label", &format!("{n}"), "--cram-md5"])
    };
    let mut commands: Vec<Child> = (0..6).map(create).collect();
    commands.push(site.spawn(&["key", "activate"]));
    commands.extend((6..12).map(create));
    for command in commands {
        let output = command.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    // The root key, the seeds, and what was made for CRAM-MD5.
    let all =
        json!([{"key": 1, "state": "old", "secrets": 0}, {"key": 2, "state": "active", "secrets": 213}]);
    assert_eq!(site.json(&["key", "list"]), all);
    site.keep_key(2);
    assert!(site.run(&["check"]).status.success());
}

#[tokio::test]
async fn a_key_that_was_added_seals_nothing_before_it_is_activated() {
    let site = Site::new();
    site.fill(3).await;
    let listed = |rows: &[(u32, &str, u32)]| {
        let row = |(key, state, secrets): &(u32, &str, u32)| json!({"key": key, "state": state, "secrets": secrets});
        Value::Array(rows.iter().map(row).collect())
    };
    assert_eq!(site.json(&["key", "add"]), json!({"key": 2}));
    let said = site.fault(&["key", "add"]);
    assert!(
        said.contains("master key 2 was added already and does not seal yet: `gatepost key activate`"),
        "{said}"
    );
    assert_eq!(keys_in(&site.key()), 2);
    site.fill_keys(2).await;
    assert_eq!(site.json(&["key", "list"]), listed(&[(1, "active", 6), (2, "staged", 0)]));
    assert_eq!(site.json(&["key", "activate"]), json!({"key": 2, "resealed": 6}));
    assert_eq!(site.json(&["key", "list"]), listed(&[(1, "old", 0), (2, "active", 6)]));
    assert_eq!(
        site.json(&["key", "activate"]),
        json!({"key": 2, "resealed": 0}),
        "once more changes nothing"
    );
    let actions: Vec<_> = site
        .json(&["audit", "list"])
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].clone())
        .collect();
    for action in ["key-add", "key-activate"] {
        assert!(actions.contains(&action.into()), "{actions:?}");
    }
    site.keep_key(1);
    let output = site.run(&["key", "list", "--json"]);
    assert_eq!(
        serde_json::from_slice::<Value>(&output.stdout).unwrap(),
        listed(&[(1, "old", 0), (2, "missing", 6)])
    );
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("warning: master key 2 has sealed 6 of the secrets, and is not in"), "{said}");
    assert!(site.fault(&["key", "add"]).contains("master key 2, which is not in"));
}

#[tokio::test]
async fn a_rotation_that_was_broken_off_makes_no_further_key() {
    let site = Site::new();
    site.fill(3).await;
    let line = format!("2 {}\n", base64(&[9; 32]));
    fs::write(site.key(), fs::read_to_string(site.key()).unwrap() + &line).unwrap();
    assert_eq!(site.json(&["key", "rotate"]), json!({"key": 2, "resealed": 4}));
    assert_eq!(keys_in(&site.key()), 2);
    assert_eq!(site.json(&["key", "rotate"]), json!({"key": 3, "resealed": 4}));
    assert_eq!(keys_in(&site.key()), 3);
}

/// A line that was added by other means may be in memory alone: then a power cut would take the key, and leave the store sealed under it.
#[tokio::test]
async fn a_key_is_on_stable_storage_before_it_seals() {
    for command in ["activate", "rotate"] {
        let site = Site::new();
        site.fill(1).await;
        let line = format!("2 {}\n", base64(&[9; 32]));
        fs::write(site.key(), fs::read_to_string(site.key()).unwrap() + &line).unwrap();
        let trace = site.path("trace");
        let mut traced = Command::new("strace");
        traced.args(["-f", "-qq", "-y", "-e", "trace=fsync,fdatasync,pwrite64", "-o"]).arg(&trace);
        traced.arg(env!("CARGO_BIN_EXE_gatepost")).args(["key", command]);
        let output = traced.env("GATEPOST_CONFIG", site.path("gatepost.toml")).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let trace = fs::read_to_string(trace).unwrap();
        let first = |call: &str, path: &Path| {
            let path = format!("<{}>", path.display());
            trace.lines().position(|line| line.contains(call) && line.contains(&path))
        };
        let sealed = first("pwrite64(", &site.path("store/accounts.db-wal")).unwrap();
        for synced in [site.key(), site.directory.path().to_owned()] {
            assert!(
                first("sync(", &synced).is_some_and(|synced| synced < sealed),
                "{command} {synced:?}: {trace}"
            );
        }
    }
}

/// A server that starts has read its key file, and is not on the list of nodes.
#[tokio::test]
async fn no_key_is_added_or_activated_while_a_server_starts() {
    let site = Site::new();
    site.fill(1).await;
    assert_eq!(site.json(&["key", "add"]), json!({"key": 2}));
    let starting = Store::claim(&site.path("store"), Mode::Server).unwrap();
    for command in ["activate", "rotate"] {
        let said = site.fault(&["key", command]);
        assert!(
            said.contains("a server has the store that has not told its newest master key: it is starting"),
            "{said}"
        );
    }
    assert_eq!(site.json(&["key", "list"])[0], json!({"key": 1, "state": "active", "secrets": 2}));
    drop(starting);
    assert_eq!(site.json(&["key", "activate"]), json!({"key": 2, "resealed": 2}));
    let _starting = Store::claim(&site.path("store"), Mode::Server).unwrap();
    assert!(site.fault(&["key", "add"]).contains("it is starting"));
    assert_eq!(keys_in(&site.key()), 2);
}

fn base64(octets: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(octets)
}

#[tokio::test]
async fn a_secret_that_was_moved_stays_as_it_is_and_is_told() {
    let site = Site::new();
    site.fill(3).await;
    let store = site.store().await;
    let sealed = store.accounts().sealed(None, 10).await.unwrap();
    let (from, to) = (&sealed[1], &sealed[2]);
    let moved = store::Resealed { place: to.0, old: to.1.clone(), new: from.1.clone() };
    assert_eq!(store.accounts().reseal(&[moved]).await.unwrap(), 1);
    assert_eq!(site.keyring(&store).await.open_sealed(to.0, &from.1), Err(SealError::Damaged));
    assert!(site.fault(&["check"]).contains("1 sealed secret does not open (1: it is damaged"));
    let said = site.fault(&["key", "rotate"]);
    assert!(said.starts_with("3 secrets are re-sealed under master key 2"), "{said}");
    assert!(said.contains("1 sealed secret does not open (1: it is damaged"), "{said}");
    let after = store.accounts().sealed(None, 10).await.unwrap();
    assert_eq!(after[2].1, from.1);
    // That one is no reason to think that the rotation was broken off.
    assert!(site.fault(&["key", "rotate"]).starts_with("3 secrets are re-sealed under master key 3"));
    let trail =
        store::Audit::entries(store.accounts(), &store::AuditFilter::default(), store::Page::first(1000))
            .await
            .unwrap()
            .entries;
    let opens = trail.iter().find(|entry| entry.event.action == store::Action::SecretOpen).unwrap();
    assert_eq!(
        (opens.event.account.as_deref(), &*opens.event.reason),
        (Some("user1@example.org"), "damaged")
    );
    assert!(trail.iter().any(|entry| entry.event.action == store::Action::KeyRotate));
    store.close().await;
}

#[tokio::test]
async fn a_challenge_key_that_was_moved_is_told_with_its_account() {
    let site = Site::new();
    site.fill(4).await;
    site.fill_keys(4).await;
    let store = site.store().await;
    let sealed = store.accounts().sealed(None, 10).await.unwrap();
    // Of the same kind, but of another account.
    let (from, to) = (&sealed[5], &sealed[7]);
    let moved = store::Resealed { place: to.0, old: to.1.clone(), new: from.1.clone() };
    assert_eq!(store.accounts().reseal(&[moved]).await.unwrap(), 1);
    assert!(site.fault(&["check"]).contains("1 sealed secret does not open (1: it is damaged"));
    let said = site.fault(&["key", "rotate"]);
    assert!(said.starts_with("8 secrets are re-sealed under master key 2"), "{said}");
    let trail =
        store::Audit::entries(store.accounts(), &store::AuditFilter::default(), store::Page::first(1000))
            .await
            .unwrap()
            .entries;
    let opens = trail.iter().find(|entry| entry.event.action == store::Action::SecretOpen).unwrap();
    assert_eq!(opens.event.account.as_deref(), Some("user2@example.org"));
    store.close().await;
}

#[tokio::test]
async fn a_dkim_key_that_does_not_open_is_told_by_its_name_and_hinders_nothing_once_it_is_retired() {
    let site = Site::new();
    site.fill(1).await;
    let key = ["example.org", "--selector", "a"];
    let dkim = |verb: &str, more: &[&str]| site.run(&[&["dkim", verb][..], &key, more].concat());
    assert!(dkim("generate", &["--algorithm", "ed25519"]).status.success());
    assert!(dkim("activate", &[]).status.success());
    let store = site.store().await;
    let sealed = store.accounts().sealed(None, 10).await.unwrap();
    let (place, old) = sealed.last().unwrap().clone();
    let damaged = store::Resealed { place, old, new: sealed[1].1.clone() };
    assert_eq!(store.accounts().reseal(&[damaged]).await.unwrap(), 1);
    let said = site.fault(&["key", "rotate"]);
    assert!(
        said.contains("1 sealed secret does not open")
            && said.contains("names the accounts and the DKIM keys"),
        "{said}"
    );
    let audited = site.json(&["audit", "list", "--action", "secret-open"]);
    assert_eq!(audited[0]["credential"], "a._domainkey.example.org");
    // Nothing waits for a retired one.
    assert!(dkim("retire", &[]).status.success());
    let output = site.run(&["key", "rotate"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success()
            && said.contains("the retired DKIM key a._domainkey.example.org does not open"),
        "{said}"
    );
    assert!(site.fault(&["check"]).contains("1 sealed secret does not open"));
    assert!(dkim("retire", &["--wipe"]).status.success());
    assert_eq!(site.json(&["key", "rotate"]), json!({"key": 4, "resealed": 2}));
    assert!(site.run(&["check"]).status.success());
    let output = dkim("activate", &[]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("it was wiped"), "{said}");
    store.close().await;
}

#[tokio::test]
async fn keys_that_are_not_right_are_told_with_what_to_do() {
    let site = Site::new();
    site.fill(1).await;
    let copy = fs::read_to_string(site.key()).unwrap();
    assert!(site.run(&["check"]).status.success());
    let says = |words: &str| {
        for command in [&["serve"][..], &["check"], &["key", "rotate"], &["key", "add"], &["key", "activate"]]
        {
            let said = site.fault(command);
            assert!(said.contains(words), "{command:?}: {said}");
        }
    };
    fs::write(site.key(), "# all gone\n").unwrap();
    says("master.key is empty: put your copy of it there");
    fs::remove_file(site.key()).unwrap();
    says("put your copy of it there, or for a new store make one with");
    MasterKeys::generate(&site.key()).unwrap();
    says("does not belong to this store: put back the file that was used with it");
    fs::write(site.key(), format!("2 {}", base64(&[9; 32]))).unwrap();
    says("the store is sealed under master key 1, which is not in");
    fs::rename(site.key(), site.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(site.path("elsewhere"), site.key()).unwrap();
    says("is a symbolic link: name the file that it leads to");
    fs::remove_file(site.key()).unwrap();
    MasterKeys::generate(&site.key()).unwrap();
    fs::write(site.key(), copy).unwrap();
    assert!(site.run(&["check"]).status.success());
}
