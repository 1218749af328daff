//! A queue that an older version has left behind is taken over as it is.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::fs;
use std::path::Path;

use sample::{content, id, lease, server, submission, text};
use sqlx::migrate::Migrator;
use sqlx::{Connection, SqliteConnection};
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
