//! QUE-09, QUE-11, QUE-12: one server, commands beside it, private files, and a SQLite without known corruption.
#![expect(clippy::unwrap_used, reason = "these are tests")]

mod sample;

use std::fmt::Display;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use sample::{all, ann, child, commit, deliver, frank, given, id, lease, server};
use sqlx::Connection;
use store::{Accounts, Operation, Spool, SpoolError};
use store_sqlite::{Mode, OpenError, SqliteStore};

#[tokio::test(flavor = "multi_thread")]
async fn a_process_opens_a_store_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = server(directory.path()).await;
    for mode in [Mode::Server, Mode::Command] {
        let second = SqliteStore::open(directory.path(), mode).await;
        assert!(matches!(second, Err(OpenError::OpenAlready { .. })), "{second:?}");
    }
    store.close().await;
    drop(store);
    server(directory.path()).await;
}

/// What a command does: a process of its own that opens the store, takes its part in the test, and says what came of it.
fn command<T: Display>(directory: &Path, part: impl AsyncFnOnce(&SqliteStore) -> T) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = SqliteStore::open(directory, Mode::Command).await.unwrap();
        println!("\n{}", part(&store).await);
        store.close().await;
    });
}

/// Runs the part of a command in the test `name`. What it said.
async fn beside(name: &'static str, directory: &Path) -> String {
    let directory = directory.to_owned();
    let running = tokio::task::spawn_blocking(move || {
        child(name, &directory, "exec \"$@\"").wait_with_output().unwrap()
    });
    let output = running.await.unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn block_on<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(test)
}

#[test]
fn a_command_works_beside_a_busy_server() {
    if let Some(directory) = given() {
        return command(&directory, async |store| {
            for n in 1000..1030 {
                for operation in [Operation::Hold, Operation::Remove] {
                    let done = store.spool().operate(operation, vec![id(n)], &frank(1)).await.unwrap();
                    assert_eq!(done.len(), 1);
                }
            }
            "done"
        });
    }
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let store = server(directory.path()).await;
        for n in 1000..1030 {
            commit(store.spool(), id(n), 100).await.unwrap();
        }
        let busy = tokio::spawn({
            let spool = store.spool().clone();
            async move {
                for n in 0..300 {
                    commit(&spool, id(n), 4096).await.unwrap();
                }
            }
        });
        beside("a_command_works_beside_a_busy_server", directory.path()).await;
        busy.await.unwrap();
        assert_eq!(all(store.spool()).await.len(), 300);
        assert_eq!(lease(store.spool()).await.len(), 300);
    });
}

#[test]
fn a_server_sees_at_once_that_a_command_has_changed_an_account() {
    if let Some(directory) = given() {
        return command(&directory, async |store| {
            store.accounts().add(&ann(), &frank(0)).await.unwrap();
            "done"
        });
    }
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let store = server(directory.path()).await;
        let accounts = store.accounts();
        let before = accounts.revision().await;
        assert!(before.is_some());
        commit(store.spool(), id(1), 100).await.unwrap();
        assert!(accounts.by_id(ann().id).await.unwrap().is_none());
        assert_eq!(accounts.revision().await, before, "neither mail nor looking changes it");

        beside("a_server_sees_at_once_that_a_command_has_changed_an_account", directory.path()).await;
        let added = accounts.revision().await;
        assert_ne!(added, before);
        assert_eq!(accounts.revision().await, added);
        accounts.set_disabled(ann().id, true, &frank(0)).await.unwrap();
        assert_ne!(accounts.revision().await, added);

        store.close().await;
        assert_eq!(
            accounts.revision().await,
            None,
            "the file is gone, and another begins with the next connection"
        );
    });
}

#[test]
fn a_start_ends_the_leases_of_the_dead_and_a_command_does_not() {
    if let Some(directory) = given() {
        return command(&directory, async |store| format!("leased {}", lease(store.spool()).await.len()));
    }
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let store = server(directory.path()).await;
        commit(store.spool(), id(1), 100).await.unwrap();
        assert_eq!(lease(store.spool()).await.len(), 1);
        let name = "a_start_ends_the_leases_of_the_dead_and_a_command_does_not";
        let said = beside(name, directory.path()).await;
        assert!(said.contains("\nleased 0\n"), "{said}");
        drop(store);
        let store = server(directory.path()).await;
        assert_eq!(lease(store.spool()).await.len(), 1);
    });
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

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_to_a_file_that_is_gone_is_not_confirmed() {
    for gone in ["queue.db", "queue.db-wal", "spool", ""] {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("store");
        let store = server(&root).await;
        let spool = store.spool();
        commit(spool, id(1), 100).await.unwrap();
        let aside = directory.path().join("aside");
        let path = if gone.is_empty() { root.clone() } else { root.join(gone) };
        std::fs::rename(&path, &aside).unwrap();
        let refused = commit(spool, id(2), 100).await;
        assert!(matches!(refused, Err(SpoolError::Failing(_))), "{gone}: {refused:?}");
        // What is queued goes on.
        let leased = lease(spool).await;
        deliver(spool, leased.iter().find(|entry| entry.submission.id == id(1)).unwrap()).await.unwrap();
        assert!(matches!(spool.room_for(1).await, Err(SpoolError::Failing(_))), "{gone}");
        std::fs::rename(&aside, &path).unwrap();
        commit(spool, id(3), 100).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_that_are_gone_are_not_read() {
    for gone in ["accounts.db", "accounts.db-wal", "accounts.db-shm"] {
        let directory = tempfile::tempdir().unwrap();
        let store = server(directory.path()).await;
        let accounts = store.accounts();
        accounts.add(&ann(), &frank(0)).await.unwrap();
        std::fs::remove_file(directory.path().join(gone)).unwrap();
        let begun = Instant::now();
        let disable = async || accounts.set_disabled(ann().id, true, &frank(0)).await;
        while accounts.by_id(ann().id).await.is_ok() || disable().await.is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(1), "{gone}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(accounts.revision().await, None);
        commit(store.spool(), id(1), 100).await.unwrap();
    }
}
