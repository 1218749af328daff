//! What a login costs in steps of SQLite's virtual machine: no more among very many accounts and app passwords than
//! in an empty store. A statement that looks at every row takes a step or two for each.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use sqlx::SqlitePool;
use store::{
    Accounts, Act, Action, Allowance, Amounts, AppPasswords, Audit, AuditEvent, Certificates, ChallengeKeys,
    ChallengeKind, CommonLimits, Counter, LastUse, Limits, Login, Mark, OwnLimits, SecondFactors, Sending,
    Share, StoredCredential, ThrottleKey, ThrottleKind, Throttles, network_of,
};
use types::{AccountId, CredentialId, Fingerprint, Mailbox};

use super::SqliteAccounts;
use crate::{Mode, SqliteStore};

const ANN: &str = "ann@example.org";
const HER_ID: AccountId = AccountId::from_bytes([1; 16]);
const HER_APP_PASSWORD: CredentialId = CredentialId::from_bytes([1; 16]);
const HER_CERTIFICATE: Fingerprint = Fingerprint::from_octets([1; 32]);
const DIGEST: [u8; 32] = [1; 32];

/// Ann's account with one of everything.
const ANN_ALONE: &str = "
    INSERT INTO accounts (id, address, normal, name, admin, disabled, password_hash, version, created_at, last_login_at) VALUES
        (x'01010101010101010101010101010101', 'ann@example.org', 'ann@example.org', NULL, 0, 0, '', 1, 0, NULL);
    INSERT INTO app_passwords (id, account, digest, label, scopes, networks, created_at)
        SELECT id, id, CAST(id || id AS BLOB), '', 'smtp', '', 0 FROM accounts;
    INSERT INTO familiar_networks SELECT id, '192.0.2.1/32', 1800000000000 FROM accounts;
    INSERT INTO totp SELECT id, x'00', 0, 0, 0 FROM accounts;
    INSERT INTO challenge_keys SELECT 'scram-sha-256', id, id, 0, x'00' FROM accounts;
    INSERT INTO certificates (fingerprint, account, label, created_at)
        SELECT CAST(id || id AS BLOB), id, '', 0 FROM accounts;
";

/// As many as a test has time for: in everything that a login looks at, many rows of others, and of Ann those that
/// there can be many of. Her own are the last that are found by looking at all.
const ALL_THE_OTHERS: &str = "
    CREATE TEMP TABLE n AS
        WITH RECURSIVE n(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n WHERE n < 20000) SELECT n FROM n;
    INSERT INTO accounts (id, address, normal, name, admin, disabled, password_hash, version, created_at, last_login_at)
        SELECT randomblob(16), n || '@example.org', n || '@example.org', NULL, 0, 0, '', 1, n, NULL FROM n;
    INSERT INTO app_passwords (id, account, digest, label, scopes, networks, created_at)
        SELECT randomblob(16), id, randomblob(32), '', 'smtp', '', 0 FROM accounts
        UNION ALL SELECT randomblob(16), x'01010101010101010101010101010101', randomblob(32), '', 'smtp', '', n FROM n;
    INSERT INTO imported_app_passwords SELECT id, randomblob(32), '' FROM app_passwords WHERE created_at > 0;
    INSERT OR IGNORE INTO familiar_networks SELECT id, '192.0.2.1/32', 1800000000000 FROM accounts;
    INSERT OR IGNORE INTO totp SELECT id, x'00', 0, 0, 0 FROM accounts;
    INSERT INTO recovery_codes SELECT account, randomblob(32) FROM totp WHERE rowid > 1;
    INSERT INTO identities SELECT id, normal, address, 0 FROM accounts WHERE normal <> 'ann@example.org';
    INSERT INTO challenge_keys SELECT 'scram-sha-256', account, id, 0, x'00' FROM app_passwords
        WHERE account <> x'01010101010101010101010101010101';
    INSERT INTO challenge_keys SELECT 'cram-md5', account, id, 0, x'00' FROM app_passwords;
    INSERT INTO certificates (fingerprint, account, label, created_at)
        SELECT randomblob(32), account, '', 0 FROM app_passwords;
    INSERT INTO throttles SELECT n, 'password', n || '@example.org', '', 1800000000000 + n FROM n;
    INSERT INTO throttle_marks SELECT id, zeroblob(8), zeroblob(8) FROM throttles;
    INSERT INTO sending_limits (account) SELECT id FROM accounts WHERE normal <> 'ann@example.org';
    INSERT INTO sent SELECT id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM accounts WHERE normal <> 'ann@example.org';
    INSERT INTO correspondents SELECT x'01010101010101010101010101010101', randomblob(16), 0 FROM n;
    INSERT INTO audit SELECT NULL, n, n, 1, 'login', 'failure', 'bad-password', 'ann@example.org', '', 'PLAIN',
        'smtp', '192.0.2.1', '', '', '', 'server' FROM n;
    UPDATE accounts SET rowid = 1000000 WHERE rowid = 1;
    UPDATE app_passwords SET rowid = 1000000 WHERE rowid = 1;
    UPDATE totp SET rowid = 1000000 WHERE rowid = 1;
    UPDATE challenge_keys SET rowid = 1000000 WHERE rowid = 1;
";

/// Counts the steps that these connections take from now on.
async fn count_steps(pool: &SqlitePool, steps: &Arc<AtomicU64>) {
    let mut all = Vec::new();
    for _ in 0..pool.options().get_max_connections() {
        all.push(pool.acquire().await.unwrap());
    }
    for connection in &mut all {
        let steps = Arc::clone(steps);
        connection.lock_handle().await.unwrap().set_progress_handler(1, move || {
            steps.fetch_add(1, Ordering::Relaxed);
            true
        });
    }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// A failure of the account and one of the network.
fn counters(secret: u8) -> [Counter; 2] {
    let network = Some(network_of("192.0.2.1".parse().unwrap()));
    let allowance = Allowance { failures: 50, accounts: 20, window: SignedDuration::from_mins(1) };
    let mark = Mark { account: [1; 8], secret: [secret; 8] };
    [(ThrottleKind::Password, Some(ANN.to_owned()), None), (ThrottleKind::Network, None, network)]
        .map(|(kind, account, network)| ThrottleKey { kind, account, network })
        .map(|key| Counter { key, allowance, mark })
}

/// Whatever the store is asked and told at a login, and for a message that follows.
async fn log_in(accounts: &SqliteAccounts, round: u8) {
    let ann = Mailbox::parse(ANN).unwrap();
    let ip = "192.0.2.1".parse().unwrap();
    assert!(accounts.is_familiar(&ann, &network_of(ip), at(0)).await.unwrap());
    assert_eq!(accounts.by_digest(&DIGEST).await.unwrap().unwrap().1.id, HER_ID);
    assert!(accounts.by_digest(&[2; 32]).await.unwrap().is_none());
    assert!(accounts.imported(&[2; 32]).await.unwrap().is_empty());
    assert_eq!(accounts.by_address(&ann).await.unwrap().unwrap().id, HER_ID);
    let scram = ChallengeKind::ScramSha256;
    assert_eq!(accounts.challenged(&ann, scram).await.unwrap().unwrap().1.len(), 1);
    assert!(accounts.has_challenge_key(scram, HER_ID, Some(HER_APP_PASSWORD)).await.unwrap());
    assert!(!accounts.has_challenge_key(scram, HER_ID, None).await.unwrap());
    assert_eq!(accounts.by_fingerprint(&HER_CERTIFICATE).await.unwrap().unwrap().1.id, HER_ID);
    assert!(accounts.throttled(&counters(round), at(0)).await.unwrap().is_none());
    assert!(accounts.attempt(&counters(round), at(0)).await.unwrap().is_none());
    accounts.withdraw(&counters(round)).await.unwrap();
    accounts.succeeded(&counters(round), &[]).await.unwrap();
    assert!(accounts.second_factor(HER_ID).await.unwrap().is_some());
    assert!(accounts.use_step(HER_ID, u64::from(round) + 1).await.unwrap());
    assert!(accounts.by_id(HER_ID).await.unwrap().is_some());
    for with in [
        None,
        Some(StoredCredential::AppPassword(HER_APP_PASSWORD)),
        Some(StoredCredential::Certificate(HER_CERTIFICATE)),
    ] {
        let rights = accounts.session_rights(&Login { account: HER_ID, with }).await.unwrap().unwrap();
        assert!(rights.identities.is_empty());
    }
    accounts.own_limits(HER_ID).await.unwrap();
    accounts.sent(HER_ID).await.unwrap();
    assert_eq!(accounts.strangers(HER_ID, &[[round; 16]]).await.unwrap().len(), 1);
    take_notes(accounts, round).await;
}

async fn take_notes(accounts: &SqliteAccounts, round: u8) {
    let (at, ip) = (at(i64::from(round)), "192.0.2.1".parse().unwrap());
    let (limits, nothing) =
        (Limits { common: CommonLimits::default(), own: OwnLimits::default() }, Share::default());
    let one = Amounts::of_message(1, 1);
    let mut loan = accounts.lend(HER_ID, &nothing, &one, &limits, at).await.unwrap().unwrap();
    accounts.logged_in(HER_ID, at, Some(network_of(ip)));
    accounts.used(HER_APP_PASSWORD, LastUse { at, ip, mechanism: "PLAIN".to_owned() });
    accounts.certificate_used(HER_CERTIFICATE, LastUse { at, ip, mechanism: "EXTERNAL".to_owned() });
    accounts.note_sent(HER_ID, &loan.take(&one), &[[round; 16]], at);
    accounts.give_back(HER_ID, &loan.left());
    for result in [store::AuditResult::Success, store::AuditResult::Failure] {
        let event =
            AuditEvent { result, ip: Some(ip), ..AuditEvent::change(Action::Login, ANN, &Act::server(at)) };
        accounts.note(event);
    }
    accounts.flush().await.unwrap();
}

/// The steps of a login in a store with these rows. Those of the first are not counted: it reads the schema.
async fn cost(directory: &Path, rows: &[&'static str]) -> u64 {
    let store = SqliteStore::open(directory, Mode::Server).await.unwrap();
    let accounts = store.accounts();
    for rows in rows {
        sqlx::raw_sql(*rows).execute(accounts.database.writer().unwrap()).await.unwrap();
    }
    let steps = Arc::default();
    count_steps(accounts.database.readers().unwrap(), &steps).await;
    count_steps(accounts.database.writer().unwrap(), &steps).await;
    for round in 0..3 {
        log_in(accounts, round).await;
    }
    let before = steps.load(Ordering::Relaxed);
    log_in(accounts, 3).await;
    let cost = steps.load(Ordering::Relaxed) - before;
    store.close().await;
    cost
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_takes_as_many_steps_among_very_many_as_alone() {
    let (few, many) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let alone = cost(few.path(), &[ANN_ALONE]).await;
    let among_many = cost(many.path(), &[ANN_ALONE, ALL_THE_OTHERS]).await;
    assert!(alone > 0 && among_many <= alone + alone / 10, "{alone} steps alone, {among_many} among many");
}
