//! A queue that an older version has left behind is taken over as it is.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::fs;
use std::path::Path;

use sample::{at, commit_received, content, deliver, id, lease, server, submission, text};
use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection};
use store::{DuplicateKey, Ledger as _, LedgerState, Spool, SpoolError, Submission};
use store_sqlite::{Mode, OpenError, SqliteStore};
use types::BodyType;

const SCHEMAS: [&str; 3] = [
    include_str!("../../../migrations/sqlite/queue/0001_queue.sql"),
    include_str!("../../../migrations/sqlite/queue/0002_needs.sql"),
    include_str!("../../../migrations/sqlite/queue/0003_operators.sql"),
];
const NAMES: [&str; 3] = ["0001_queue.sql", "0002_needs.sql", "0003_operators.sql"];

/// Two entries with the checksums that the version with the first schema has given them.
const ENTRIES: &str = "\
    INSERT INTO entries VALUES \
    (1, x'01a0c4506c0107070707070707070707', x'01010101010101010101010101010101', 'alice@example.org', \
     '<alice@example.org>', 0, 0, 1790000000000, 100, 1, 0, 1790000000000, NULL, 2113144143, 3652535135, 0), \
    (2, x'01a0c4506c0207070707070707070707', x'01010101010101010101010101010101', 'alice@example.org', \
     '<alice@example.org>', 1, 1, 1790000000000, 0, 1, 0, 1790000000000, NULL, 0, 3062285172, 0); \
    INSERT INTO contents VALUES (1, CAST($1 AS BLOB)), (2, x''); \
    INSERT INTO recipients (entry, number, forward_path, next_attempt_at) \
    SELECT id, 0, '<bob@example.net>', 1790000000000 FROM entries";

/// An entry with the checksum that the version with the third schema has given it.
const ENTRY_OF_THE_THIRD: &str = "\
    INSERT INTO entries VALUES \
    (1, x'01a0c4506c0107070707070707070707', x'01010101010101010101010101010101', 'alice@example.org', \
     '<alice@example.org>', 0, 0, 1790000000000, 100, 1, 0, 1790000000000, NULL, 2113144143, 3885415565, 0, 0, \
     '<1@example.org>', 'password'); \
    INSERT INTO contents VALUES (1, CAST($1 AS BLOB)); \
    INSERT INTO recipients (entry, number, forward_path, next_attempt_at) \
    SELECT id, 0, '<bob@example.net>', 1790000000000 FROM entries";

/// Leaves a queue of the first so many schemas.
async fn leave_behind(directory: &Path, schema: usize, entries: &str) {
    let schemas = tempfile::tempdir().unwrap();
    for (name, sql) in NAMES.into_iter().zip(SCHEMAS).take(schema) {
        fs::write(schemas.path().join(name), sql).unwrap();
    }
    let url = format!("sqlite:{}?mode=rwc", directory.join("queue.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    Migrator::new(schemas.path()).await.unwrap().run(&mut connection).await.unwrap();
    let content = String::from_utf8(text(id(1), 100)).unwrap();
    let entries = entries.replace("$1", &format!("'{content}'"));
    sqlx::raw_sql(sqlx::AssertSqlSafe(entries)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_the_first_schema_are_intact() {
    let directory = tempfile::tempdir().unwrap();
    leave_behind(directory.path(), 1, ENTRIES).await;
    let opened = SqliteStore::open(directory.path(), Mode::Command).await;
    assert!(matches!(opened, Err(OpenError::Older { .. })), "{opened:?}");
    let store = server(directory.path()).await;
    let leased = lease(store.spool()).await;
    let mut declared = submission(id(2));
    (declared.body, declared.smtputf8) = (BodyType::EightBit, true);
    assert_eq!((&*leased[0].submission, &*leased[1].submission), (&submission(id(1)), &declared));
    assert_eq!(content(store.spool(), &leased[0]).await.unwrap(), text(id(1), 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_the_third_schema_are_intact() {
    let directory = tempfile::tempdir().unwrap();
    leave_behind(directory.path(), 3, ENTRY_OF_THE_THIRD).await;
    let store = server(directory.path()).await;
    let mut expected = submission(id(1));
    (expected.message_id, expected.credential) = (Some("<1@example.org>".into()), Some("password".into()));
    let leased = lease(store.spool()).await;
    assert_eq!(*leased[0].submission, expected);
    assert_eq!(content(store.spool(), &leased[0]).await.unwrap(), text(id(1), 100));
}

/// What the version with the third schema had instead of deliveries: the queue is made by this version, and then put back.
const BACK_TO_THE_THIRD: &str = "\
    ALTER TABLE entries ADD COLUMN due_at INTEGER; \
    ALTER TABLE entries ADD COLUMN lease_owner TEXT; \
    UPDATE entries SET due_at = (SELECT min(next_attempt_at) FROM recipients WHERE entry = entries.id) WHERE NOT held; \
    UPDATE entries SET lease_owner = 'mail.example.org', due_at = 1790043200000 WHERE number % 7 = 0 AND due_at IS NOT NULL; \
    CREATE INDEX entries_due ON entries (due_at, lease_owner, held) WHERE due_at IS NOT NULL; \
    DROP TABLE recent_groups; DROP INDEX entries_from_nobody; \
    DROP INDEX entries_settled; ALTER TABLE entries DROP COLUMN settled_at; ALTER TABLE entries DROP COLUMN returned; \
    ALTER TABLE recipients DROP COLUMN news; ALTER TABLE recipients DROP COLUMN tell_at; \
    ALTER TABLE recipients DROP COLUMN said_by_host; ALTER TABLE recipients DROP COLUMN tried_at; \
    ALTER TABLE recipients DROP COLUMN delay_told; ALTER TABLE recipients DROP COLUMN told; \
    ALTER TABLE entries DROP COLUMN deliver_by; ALTER TABLE entries DROP COLUMN by_mode; ALTER TABLE entries DROP COLUMN priority; \
    ALTER TABLE entries DROP COLUMN binary_body; ALTER TABLE entries DROP COLUMN tls_required; \
    DROP TABLE deliveries; DROP TABLE nodes; ALTER TABLE recipients DROP COLUMN destination; \
    ALTER TABLE recipients DROP COLUMN notify; ALTER TABLE recipients DROP COLUMN orcpt; \
    ALTER TABLE entries DROP COLUMN session; ALTER TABLE entries DROP COLUMN ip; \
    ALTER TABLE entries DROP COLUMN tls_version; ALTER TABLE entries DROP COLUMN tls_cipher; \
    ALTER TABLE entries DROP COLUMN not_before; ALTER TABLE entries DROP COLUMN ret; ALTER TABLE entries DROP COLUMN envid; \
    DELETE FROM _sqlx_migrations WHERE version > 3";

/// One of two recipients has got it, a recipient has failed, waits for an operator, or waits for its next attempt; an entry is held; the
/// others are due, some of them leased to a server that is dead.
const EVERY_STATE: &str = "\
    UPDATE recipients SET state = 'delivered', attempts = 1, next_attempt_at = NULL WHERE number = 1; \
    UPDATE recipients SET state = 'failed', attempts = 1, next_attempt_at = NULL \
    WHERE number = 0 AND (SELECT number % 10 FROM entries WHERE id = entry) = 1; \
    UPDATE recipients SET state = 'held', next_attempt_at = NULL \
    WHERE number = 0 AND (SELECT number % 10 FROM entries WHERE id = entry) = 2; \
    UPDATE recipients SET state = 'deferred', attempts = 3, next_attempt_at = 1790003600000 \
    WHERE number = 0 AND (SELECT number % 10 FROM entries WHERE id = entry) = 3; \
    UPDATE entries SET held = 1 WHERE number % 10 = 4";

/// 1,000 unless more are wanted.
fn messages() -> u64 {
    std::env::var("GATEPOST_UPGRADE_MESSAGES").map_or(1000, |messages| messages.parse().unwrap())
}

async fn change(directory: &Path, sql: &'static str) {
    change_in(directory, "queue.db", sql).await;
}

async fn change_in(directory: &Path, database: &str, sql: &'static str) {
    let url = format!("sqlite:{}", directory.join(database).display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_every_state_are_taken_over() {
    let messages = messages();
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let commits = (0..messages).map(|n| {
        let (spool, mut submission) = (store.spool().clone(), submission(id(n)));
        if n % 3 == 0 {
            submission.recipients.push(submission.recipients[0].clone());
        }
        tokio::spawn(async move { commit_received(&spool, submission, spool.open(id(n))).await.unwrap() })
    });
    for commit in commits.collect::<Vec<_>>() {
        commit.await.unwrap();
    }
    store.close().await;
    drop(store);
    change(directory.path(), EVERY_STATE).await;
    change(directory.path(), BACK_TO_THE_THIRD).await;

    let store = server(directory.path()).await;
    let spool = store.spool();
    let leased = lease(spool).await;
    assert_eq!(leased.len() as u64, messages / 10 * 6, "all that is neither failed nor held nor later");
    assert!(
        leased.iter().all(|leased| leased.recipients.len() == 1 && leased.destination.as_str().is_empty())
    );
    let stats = spool.stats().await.unwrap();
    assert_eq!((stats.entries, stats.queued, stats.deferred), (messages, messages / 10 * 6, messages / 10));
    assert_eq!((stats.held, stats.failed), (messages / 10 * 2, messages / 10));
    let (there, elsewhere) = leased.split_at(leased.len() / 2);
    for leased in there {
        deliver(spool, leased).await.unwrap();
    }
    for leased in elsewhere {
        spool.reroute(leased, vec![(0, "smtp://192.0.2.1:25".into())]).await.unwrap();
    }
    let moved = lease(spool).await;
    assert_eq!((moved.len(), moved[0].destination.as_str()), (elsewhere.len(), "smtp://192.0.2.1:25"));
    assert_eq!(spool.stats().await.unwrap().entries, messages / 10 * 7);
}

/// What the version with the fourteenth schema knew of a message that may be handed in again: a row for each.
const BACK_TO_THE_FOURTEENTH: &str = "\
    DROP TABLE recent_groups; \
    CREATE TABLE recent_messages (number INTEGER NOT NULL PRIMARY KEY, digest BLOB NOT NULL, entry BLOB NOT NULL, \
    received_at INTEGER NOT NULL) STRICT; \
    INSERT INTO recent_messages VALUES (5, x'02020202020202020202020202020202', x'01a0c4506c0107070707070707070707', 1790000000000), \
    (6, x'03030303030303030303030303030303', x'', 1790000000000); \
    DELETE FROM _sqlx_migrations WHERE version > 14";

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_known_again_that_an_earlier_version_has_accepted() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    commit_received(store.spool(), submission(id(1)), store.spool().open(id(1))).await.unwrap();
    store.close().await;
    drop(store);
    change(directory.path(), BACK_TO_THE_FOURTEENTH).await;

    let store = server(directory.path()).await;
    let handed_in = async |n: u64, digest: u8| {
        let key = DuplicateKey { digest: [digest; 16], received_at: at(1), since: at(-60) };
        let submission = Submission { duplicate_key: Some(key), ..submission(id(n)) };
        commit_received(store.spool(), submission, store.spool().open(id(n))).await
    };
    assert!(matches!(handed_in(2, 2).await, Err(SpoolError::Duplicate(first)) if first == id(1)));
    handed_in(3, 3).await.unwrap();
    assert!(matches!(handed_in(4, 3).await, Err(SpoolError::Duplicate(first)) if first == id(3)));
    store.close().await;
}

/// What the version with the second schema of the ledger has left waiting for its rows: JSON.
const BACK_TO_THE_SECOND: &str = "\
    DROP TABLE backlog; CREATE TABLE backlog (number INTEGER NOT NULL PRIMARY KEY, notes TEXT NOT NULL) STRICT; \
    INSERT INTO backlog (notes) VALUES ('[\
    {\"Message\":{\"id\":[1,160,196,80,108,1,7,7,7,7,7,7,7,7,7,7],\"account\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],\
    \"account_address\":\"alice@example.org\",\"credential\":null,\"session\":null,\"ip\":\"192.0.2.1\",\"tls_version\":null,\
    \"tls_cipher\":null,\"sender\":\"alice@example.org\",\"message_id\":\"<1@example.org>\",\"size\":100,\
    \"accepted_at\":1790000000000,\"next_attempt_at\":1790000000000,\"held\":false,\"recipients\":[\"bob@example.net\"]}},\
    {\"Recipient\":{\"message\":[1,160,196,80,108,1,7,7,7,7,7,7,7,7,7,7],\"number\":0,\"address\":\"bob@example.net\",\
    \"state\":\"delivered\",\"attempts\":1,\"next_attempt_at\":null,\"reply\":\"250 Ok\",\"host\":\"mx.example.net\",\
    \"at\":1790000001000,\"has_failed\":false}}]'), ('damaged'); \
    DELETE FROM _sqlx_migrations WHERE version > 2";

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_version_has_noted_for_the_ledger_is_found() {
    let directory = tempfile::tempdir().unwrap();
    server(directory.path()).await.close().await;
    change_in(directory.path(), "ledger.db", BACK_TO_THE_SECOND).await;

    let store = server(directory.path()).await;
    let known = store.ledger().trace(id(1)).await.unwrap().unwrap();
    assert_eq!(
        (known.message.ip.as_deref(), known.message.state),
        (Some("192.0.2.1"), LedgerState::Delivered)
    );
    assert_eq!(known.recipients[0].last_host.as_deref(), Some("mx.example.net"));
    store.close().await;
}
