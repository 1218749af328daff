//! How connections to the databases are set up.

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqlitePool};

use crate::directory::Directory;

/// How long a writer waits for another process, such as a command beside the server.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Checkpoints copy the WAL into the database while the writer waits. With pages of 4 KiB this is every 8 MiB: fewer
/// octets, and the syncs of a checkpoint weigh more; more, and the wait becomes long (60 ms for 16 MiB).
const QUEUE_CHECKPOINT_PAGES: &str = "2048";

/// How many statements stay prepared: those of the groups are the same in pieces of some sizes.
const QUEUE_STATEMENTS: usize = 200;

/// What a checkpoint leaves of a WAL that had to grow.
const WAL_SIZE_LIMIT: &str = "33554432";

/// Connections that read, at most; each is a thread.
const READERS: u32 = 3;

/// Settings for the accounts.
pub(crate) fn accounts(directory: &Directory) -> SqliteConnectOptions {
    durable(&directory.accounts()).thread_name(|n| format!("accounts-{n}"))
}

/// Settings for the queue.
pub(crate) fn queue(directory: &Directory) -> SqliteConnectOptions {
    durable(&directory.queue())
        .thread_name(|n| format!("queue-{n}"))
        .statement_cache_capacity(QUEUE_STATEMENTS)
        .pragma("wal_autocheckpoint", QUEUE_CHECKPOINT_PAGES)
        .pragma("journal_size_limit", WAL_SIZE_LIMIT)
}

/// Settings for the ledger.
pub(crate) fn ledger(directory: &Directory) -> SqliteConnectOptions {
    durable(&directory.ledger()).thread_name(|n| format!("ledger-{n}"))
}

fn durable(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("temp_store", "MEMORY")
        .disable_statement_logging()
}

/// A pool of connections that cannot write.
pub(crate) fn readers(options: SqliteConnectOptions) -> SqlitePool {
    readers_of(READERS, options)
}

/// A pool of the one connection that writes.
pub(crate) fn writer(options: SqliteConnectOptions) -> SqlitePool {
    lasting(1).connect_lazy_with(options)
}

/// A connection that is never used and stays to the end. The last connection that is closed removes the WAL, and the
/// others may all be replaced at once after an error.
pub(crate) async fn anchor(options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let anchor = readers_of(1, options);
    sqlx::query("SELECT 1 FROM sqlite_schema").execute(&anchor).await?;
    Ok(anchor)
}

/// Moves the WAL into the database, as far as others who have it open let that happen.
pub(crate) async fn checkpoint<'c>(connection: impl sqlx::SqliteExecutor<'c>) {
    drop(sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(connection).await);
}

fn readers_of(connections: u32, options: SqliteConnectOptions) -> SqlitePool {
    lasting(connections).connect_lazy_with(options.pragma("query_only", "ON"))
}

/// Connections to a file do not go stale, so they are kept and never tested.
///
/// One that was left in a transaction is replaced: when the disk is full or fails, SQLite rolls back by itself, and
/// sqlx, whose own ROLLBACK then has nothing to end, would refuse to begin another for ever.
fn lasting(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .test_before_acquire(false)
        .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
        .idle_timeout(None)
        .max_lifetime(None)
}
