//! QUE-09, QUE-11, QUE-12: one server, commands beside it, private files, and a SQLite without known corruption.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sample::{ann, commit, id, lease, server};
use sqlx::Connection;
use store::{Accounts, Spool};
use store_sqlite::{Mode, OpenError, SqliteStore};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_is_told_who_holds_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let second = SqliteStore::open(directory.path(), Mode::Server).await;
    let Err(OpenError::Held { holder, .. }) = second else { panic!("{second:?}") };
    assert_eq!(holder, format!("process {}", std::process::id()));
    store.close().await;
    drop(store);
    server(directory.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_works_beside_a_busy_server() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let busy = tokio::spawn({
        let spool = store.spool().clone();
        async move {
            for n in 0..300 {
                commit(&spool, id(n), 4096).await.unwrap();
            }
        }
    });
    let command = SqliteStore::open(directory.path(), Mode::Command).await.unwrap();
    for n in 1000..1030 {
        commit(store.spool(), id(n), 100).await.unwrap();
        assert!(command.spool().hold(id(n)).await.unwrap());
        assert!(command.spool().remove(id(n)).await.unwrap());
    }
    busy.await.unwrap();
    assert_eq!(command.spool().list().await.unwrap().len(), 300);
    command.close().await;
    assert_eq!(lease(store.spool()).await.len(), 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_sees_at_once_that_a_command_has_changed_an_account() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    let accounts = store.accounts();
    let before = accounts.revision();
    assert!(before.is_some());
    commit(store.spool(), id(1), 100).await.unwrap();
    assert!(accounts.by_id(ann().id).await.unwrap().is_none());
    assert_eq!(accounts.revision(), before, "neither mail nor looking changes it");

    let command = SqliteStore::open(directory.path(), Mode::Command).await.unwrap();
    command.accounts().add(&ann()).await.unwrap();
    let added = accounts.revision();
    assert_ne!(added, before);
    command.close().await;
    assert_eq!(accounts.revision(), added);
    accounts.set_disabled(ann().id, true, Timestamp::UNIX_EPOCH).await.unwrap();
    assert_ne!(accounts.revision(), added);

    store.close().await;
    assert_eq!(accounts.revision(), None, "the file is gone, and another begins with the next connection");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_ends_the_leases_of_the_dead_and_a_command_does_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    commit(store.spool(), id(1), 100).await.unwrap();
    assert_eq!(lease(store.spool()).await.len(), 1);
    let command = SqliteStore::open(directory.path(), Mode::Command).await.unwrap();
    assert!(lease(command.spool()).await.is_empty());
    command.close().await;
    drop(store);
    let store = server(directory.path()).await;
    assert_eq!(lease(store.spool()).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_can_read_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("new/store");
    let store = server(&root).await;
    commit(store.spool(), id(1), 200_000).await.unwrap();
    let mode = |path: &str| std::fs::metadata(root.join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("."), mode("spool")), (0o700, 0o700));
    let message = format!("spool/{}", id(1));
    for file in ["accounts.db", "queue.db", "queue.db-wal", "queue.db-shm", "server.lock", &message] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_of_the_future_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    server(directory.path()).await.close().await;
    let url = format!("sqlite:{}", directory.path().join("queue.db").display());
    let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let future = "INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, success, checksum, \
                  execution_time FROM _sqlx_migrations LIMIT 1";
    sqlx::query(future).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    for mode in [Mode::Command, Mode::Server] {
        let opened = SqliteStore::open(directory.path(), mode).await;
        assert!(matches!(opened, Err(OpenError::Newer { .. })), "{opened:?}");
    }
    let migrated = SqliteStore::migrate(directory.path()).await;
    assert!(matches!(migrated, Err(OpenError::Newer { .. })), "{migrated:?}");
}

/// The bug that could corrupt a WAL when it was reset is fixed in 3.51.3.
#[tokio::test]
async fn the_bundled_sqlite_is_recent_enough() {
    let mut connection = sqlx::SqliteConnection::connect("sqlite::memory:").await.unwrap();
    let version: String =
        sqlx::query_scalar("SELECT sqlite_version()").fetch_one(&mut connection).await.unwrap();
    let version: Vec<u32> = version.split('.').map(|part| part.parse().unwrap()).collect();
    assert!(version >= vec![3, 51, 3], "{version:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_existing_store_opens_at_once() {
    let directory = tempfile::tempdir().unwrap();
    server(directory.path()).await.close().await;
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        let store = server(directory.path()).await;
        best = best.min(begun.elapsed());
        store.close().await;
    }
    // An unoptimised build beside other tests; docs/performance.md has the figure.
    assert!(best < Duration::from_millis(100), "{best:?}");
}
