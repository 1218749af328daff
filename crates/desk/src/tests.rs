//! What use cases say when the store fails behind their change: triggers make it fail.

use std::path::Path;
use std::time::Duration;

use auth::challenge_key::cram_md5_key;
use auth::{Cost, KeyFileLock, Keyring, MasterKeys, Policy, app_password};
use bytes::Bytes;
use delivery::{Routes, Via};
use jiff::{SignedDuration, Timestamp};
use sqlx::SqlitePool;
use store::{
    Account, Act, AppPassword, ChallengeKeys as _, ChallengeKind, CommonLimits, NewAppPassword, NewDelivery,
    Operation, Scope, Spool as _, Submission,
};
use stores::{Mode, Store};
use tempfile::TempDir;
use types::{CredentialId, Endpoint, ForwardPath, Mailbox, Mechanism, QueueId, ReversePath, Secret};

use crate::{
    Chosen, ClientSettings, Desk, NewAccount, Settings, Strength, SubmissionPort, Trouble, secrets_by_key,
};

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

/// What Frank does at the command line.
pub(crate) fn frank() -> Act {
    Act::command("frank", now())
}

pub(crate) fn alice() -> Mailbox {
    Mailbox::parse("alice@example.org").unwrap()
}

pub(crate) struct Office {
    pub(crate) directory: TempDir,
    pub(crate) store: Store,
    pub(crate) desk: Desk,
    pub(crate) account: Account,
}

impl Office {
    /// Alice has an account.
    pub(crate) async fn open() -> Office {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(&directory.path().join("store"), Mode::Server).await.unwrap();
        MasterKeys::generate(&directory.path().join("master.key")).unwrap();
        let (accounts, spool) = (store.accounts().clone(), store.spool().clone());
        let desk = Desk::new(accounts, spool, store.ledger().clone(), settings(directory.path()), now);
        let new = NewAccount { address: alice(), name: None, admin: false, password: None };
        desk.add_account(&frank(), new).await.unwrap();
        let account = desk.find(&alice()).await.unwrap();
        Office { directory, store, desk, account }
    }

    /// From here on the database of the accounts does this, too.
    pub(crate) async fn trigger(&self, trigger: &'static str) {
        let database = self.directory.path().join("store/accounts.db");
        let pool = SqlitePool::connect(database.to_str().unwrap()).await.unwrap();
        sqlx::query(trigger).execute(&pool).await.unwrap();
        pool.close().await;
    }

    async fn queue(&self, messages: u16) -> Vec<QueueId> {
        let mut ids = Vec::new();
        for number in 0..messages {
            let id = QueueId::new(number.into(), [0; 10]);
            let new = Submission::new(
                id,
                self.account.id,
                "alice@example.org",
                ReversePath::Mailbox(alice()),
                now(),
            );
            let recipients = vec![ForwardPath::Mailbox(Mailbox::parse("bob@example.net").unwrap()).into()];
            let spool = self.store.spool();
            let mut incoming = spool.open(id);
            spool.append(&mut incoming, Bytes::from_static(b"Subject: x\r\n\r\n")).await.unwrap();
            let submission = Submission { recipients, ..new };
            let delivery = NewDelivery::of_all(&submission, "there".into(), None);
            spool.commit(submission, incoming, vec![delivery]).await.unwrap();
            ids.push(id);
        }
        ids
    }
}

fn settings(directory: &Path) -> Settings {
    let once = (1, SignedDuration::from_secs(60));
    let cheap = Cost { memory_kib: 64, passes: 1, ..Cost::default() };
    Settings {
        hostname: "mail.example.org".to_owned(),
        master_key_file: directory.join("master.key"),
        policy: Policy { argon2: cheap, ..Policy::new(false, once, once, once) },
        app_passwords_per_account: 10,
        sending: CommonLimits::default(),
        cram_md5: false,
        undo_max: Duration::from_secs(120),
        clients: ClientSettings {
            host: "mail.example.org".to_owned(),
            implicit_tls: Some(SubmissionPort { port: 465, mechanisms: vec![Mechanism::Plain] }),
            starttls: Some(SubmissionPort { port: 587, mechanisms: vec![Mechanism::Plain] }),
            discovery: None,
        },
        session_idle: SignedDuration::from_mins(30),
        session_max: SignedDuration::from_hours(12),
        token_max: SignedDuration::from_hours(365 * 24),
        admin_needs_second_factor: true,
        base_url: Some(Endpoint::parse("https://mail.example.org").unwrap()),
        device_link: SignedDuration::from_mins(10),
        audit_keep: SignedDuration::from_hours(24),
        routes: Routes::new(Via::Hold, Vec::new()),
    }
}

/// The account can't be read any more once it has its password: that it has is told all the same.
#[tokio::test]
async fn a_password_that_was_set_is_told() {
    let office = Office::open().await;
    let spoils = "CREATE TRIGGER spoils AFTER UPDATE OF password_hash ON accounts
        BEGIN UPDATE accounts SET address = 'no address' WHERE id = NEW.id; END";
    office.trigger(spoils).await;
    let password = Chosen { secret: Secret::new("correct horse battery"), strength: Strength::Any };
    let lack = office.desk.change_password(&frank(), &office.account, &password).await.unwrap();
    assert!(lack.is_none(), "nobody wants SCRAM here: {lack:?}");
    assert!(office.desk.find(&alice()).await.is_err());
}

/// Its key for CRAM-MD5 is sealed under the master key before the one that seals, and stays so.
#[tokio::test]
async fn an_app_password_that_was_made_is_told() {
    let office = Office::open().await;
    let new = sealed_before_an_activation(&office).await;
    let refuses = "CREATE TRIGGER refuses BEFORE UPDATE OF sealed ON challenge_keys BEGIN SELECT RAISE(FAIL, 'no'); END";
    office.trigger(refuses).await;
    let old_key = office.desk.keep_app_password(&frank(), &office.account, &new).await.unwrap();
    assert!(old_key.is_some());
    let (kind, id) = (ChallengeKind::CramMd5, new.app_password.id);
    let kept = office.store.accounts().with_challenge_key(kind, &[id]).await.unwrap();
    assert!(kept.contains(&id));
}

#[tokio::test]
async fn the_keys_of_an_app_password_that_is_kept_behind_an_activation_end_under_the_new_master_key() {
    let office = Office::open().await;
    let new = sealed_before_an_activation(&office).await;
    let old_key = office.desk.keep_app_password(&frank(), &office.account, &new).await.unwrap();
    assert!(old_key.is_none(), "{old_key:?}");
    // The root key, and that for CRAM-MD5.
    assert_eq!(secrets_by_key(office.store.accounts()).await.unwrap(), [(2, 2)].into());
}

/// An app password whose key for CRAM-MD5 was sealed just before another master key was activated, and which is not kept yet.
async fn sealed_before_an_activation(office: &Office) -> NewAppPassword {
    let keyring = office.desk.keyring().await.unwrap();
    let sealer = keyring.sealer(office.store.accounts()).await.unwrap();
    let (letters, id) = (app_password::generate(), CredentialId::from_bytes([7; 16]));
    let new = NewAppPassword {
        digest: keyring.app_passwords().digest(&letters),
        challenge_keys: vec![cram_md5_key(&sealer, office.account.id, (id, &letters), now())],
        version: office.account.version,
        app_password: AppPassword {
            id,
            account: office.account.id,
            label: "phone".to_owned(),
            scopes: vec![Scope::Smtp],
            networks: Vec::new(),
            senders: Vec::new(),
            created_at: now(),
            expires_at: None,
            last_used: None,
        },
    };
    let masters =
        MasterKeys::add(&KeyFileLock::take(&office.desk.settings.master_key_file).unwrap()).unwrap();
    let accounts = office.store.accounts();
    Keyring::open(masters, accounts).await.unwrap().activate_newest(accounts).await.unwrap();
    new
}

#[tokio::test]
async fn a_message_whose_envelope_is_damaged_is_neither_returned_nor_released() {
    let office = Office::open().await;
    let ids = office.queue(2).await;
    let pool =
        SqlitePool::connect(office.directory.path().join("store/queue.db").to_str().unwrap()).await.unwrap();
    let damage = "UPDATE entries SET reverse_path = '<mallory@example.org>', held = true WHERE number = 1";
    sqlx::query(damage).execute(&pool).await.unwrap();
    pool.close().await;
    for operation in [Operation::Bounce, Operation::Release] {
        let operated = office.desk.operate_on(&frank(), operation, &ids[..1]).await.unwrap();
        assert!(operated.done.is_empty(), "{operation:?}");
        let said = operated.left[0].to_string();
        assert!(said.contains("envelope_crc is damaged") && said.contains("stays held"), "{said}");
        assert!(office.desk.show_message(ids[0]).await.unwrap().held);
    }
    assert_eq!(office.store.spool().take_operations(10).await.unwrap(), [], "nothing was done");
    let removed = office.desk.operate_on(&frank(), Operation::Remove, &ids).await.unwrap();
    assert_eq!(removed.done, ids);
}

/// More messages than are changed together, and no audit trail from the first of them on.
#[tokio::test]
async fn what_was_done_until_an_operation_was_broken_off_is_told() {
    let office = Office::open().await;
    let ids = office.queue(201).await;
    office.trigger("CREATE TRIGGER refuses BEFORE INSERT ON audit BEGIN SELECT RAISE(FAIL, 'no'); END").await;
    let operated = office.desk.operate_on(&frank(), Operation::Hold, &ids).await.unwrap();
    assert_eq!(operated.done.len(), 200);
    assert!(operated.left.is_empty(), "the last is there, and nothing was done to it");
    assert!(matches!(operated.broken_off, Some(Trouble::NotAudited(_))), "{:?}", operated.broken_off);
    let held = |id: &QueueId| {
        let shown = office.desk.show_message(*id);
        async move { shown.await.unwrap().held }
    };
    assert!(held(ids.first().unwrap()).await && !held(ids.last().unwrap()).await);
}
