//! The suite of `store`, on SQLite.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use store_sqlite::{Mode, SqliteAccounts, SqliteSpool, SqliteStore};
use tempfile::TempDir;

async fn open() -> (SqliteAccounts, SqliteSpool, (SqliteStore, TempDir)) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path(), Mode::Server).await.unwrap();
    (store.accounts().clone(), store.spool().clone(), (store, directory))
}

store::conformance!(open);
