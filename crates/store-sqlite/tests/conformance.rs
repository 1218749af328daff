//! The suite of `store`, on SQLite.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use store_sqlite::{Mode, SqliteStore};
use tempfile::TempDir;

async fn open() -> (SqliteStore, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path(), Mode::Server).await.unwrap();
    (store, directory)
}

async fn beside(store: &SqliteStore) -> SqliteStore {
    store.beside().await.unwrap()
}

store::conformance!(open, beside);
