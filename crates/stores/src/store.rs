//! The store as a whole, in whichever backend: opened, copied, looked over and closed.

use std::io;
use std::path::Path;

use store::SpoolError;
use store_sqlite::{
    BackedUp, BackupError, DiskSpace, Exposed, Integrity, Migrated, Mode, OpenError, SqliteStore,
};

use crate::accounts::Accounts;
use crate::ledger::Ledger;
use crate::spool::Spool;

/// An open store. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub struct Store {
    accounts: Accounts,
    spool: Spool,
    ledger: Ledger,
    backend: Backend,
}

#[derive(Debug, Clone)]
enum Backend {
    Sqlite(SqliteStore),
}

/// A store that this process alone may open: see [`Store::claim`].
#[derive(Debug)]
pub enum Claimed {
    /// Its directory is there, and locked for a server.
    Sqlite(store_sqlite::Claimed),
}

impl Store {
    /// Opens the store in this directory, which is made if it does not exist: see [`SqliteStore::open`].
    ///
    /// # Errors
    /// When another server has it open, its schema is of another version, or it can't be used.
    pub async fn open(directory: &Path, mode: Mode) -> Result<Self, OpenError> {
        SqliteStore::open(directory, mode).await.map(Self::sqlite)
    }

    /// The first half of [`Store::open`], which needs no runtime, and blocks.
    ///
    /// # Errors
    /// When another server has the store open, or its directory can't be used.
    pub fn claim(directory: &Path, mode: Mode) -> Result<Claimed, OpenError> {
        SqliteStore::claim(directory, mode).map(Claimed::Sqlite)
    }

    /// Whether there is a store in this directory.
    ///
    /// # Errors
    /// When that can't be told.
    pub fn exists(directory: &Path) -> io::Result<bool> {
        SqliteStore::exists(directory)
    }

    /// Brings the store in this directory up to date, and says what was done to each of its databases.
    ///
    /// # Errors
    /// When a server has it open, or it can't be changed.
    pub async fn migrate(directory: &Path) -> Result<Vec<Migrated>, OpenError> {
        SqliteStore::migrate(directory).await
    }

    /// Copies the store in the directory `from`, of whatever version, to the directory `to`, which must not be there or be empty.
    ///
    /// # Errors
    /// When the store can't be read, or the copy can't be written; then there is none.
    pub async fn back_up(from: &Path, to: &Path) -> Result<BackedUp, BackupError> {
        SqliteStore::back_up(from, to).await
    }

    /// What the group or others have rights on, of the store in this directory. Nothing, if there is no store yet.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub fn exposed(directory: &Path) -> io::Result<Vec<Exposed>> {
        SqliteStore::exposed(directory)
    }

    /// Accounts, credentials, the audit trail.
    #[must_use]
    pub fn accounts(&self) -> &Accounts {
        &self.accounts
    }

    /// The queue.
    #[must_use]
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// What was sent, and what became of it.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Looks over the whole store, and reads every message. A server may be running.
    ///
    /// # Errors
    /// When it can't be read. What is damaged is no error, but told.
    pub async fn integrity(&self) -> Result<Integrity, SpoolError> {
        match &self.backend {
            Backend::Sqlite(store) => store.integrity().await,
        }
    }

    /// Commits to the accounts and to the queue what changes nothing, to see whether they can be written.
    ///
    /// # Errors
    /// [`SpoolError::Full`] when there is hardly room for a message; otherwise why they can't be written.
    pub async fn try_to_write(&self) -> Result<(), SpoolError> {
        match &self.backend {
            Backend::Sqlite(store) => store.try_to_write().await,
        }
    }

    /// How large each of its databases is, in octets, by its name.
    ///
    /// # Errors
    /// When that can't be told.
    pub fn sizes(&self) -> io::Result<Vec<(String, u64)>> {
        match &self.backend {
            Backend::Sqlite(store) => store.sizes(),
        }
    }

    /// How much room there is where it lies.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn disk_space(&self) -> io::Result<DiskSpace> {
        match &self.backend {
            Backend::Sqlite(store) => store.disk_space(),
        }
    }

    /// What may be missing of what was confirmed, in sentences.
    #[must_use]
    pub fn losses(&self) -> Vec<String> {
        match &self.backend {
            Backend::Sqlite(store) => store.losses(),
        }
    }

    /// Accepts that it is missing.
    ///
    /// # Errors
    /// When the note of it can't be removed.
    pub fn accept_losses(&self) -> io::Result<()> {
        match &self.backend {
            Backend::Sqlite(store) => store.accept_losses(),
        }
    }

    /// Writes what is noted and closes the store. What is committed is durable without it.
    pub async fn close(&self) {
        match &self.backend {
            Backend::Sqlite(store) => store.close().await,
        }
    }

    fn sqlite(store: SqliteStore) -> Self {
        Self {
            accounts: Accounts::Sqlite(store.accounts().clone()),
            spool: Spool::Sqlite(store.spool().clone()),
            ledger: Ledger::Sqlite(store.ledger().clone()),
            backend: Backend::Sqlite(store),
        }
    }
}

impl Claimed {
    /// The second half of [`Store::open`].
    ///
    /// # Errors
    /// When the store can't be used.
    pub async fn open(self) -> Result<Store, OpenError> {
        match self {
            Claimed::Sqlite(claimed) => claimed.open().await.map(Store::sqlite),
        }
    }
}
