//! Opening and closing a store.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::accounts::SqliteAccounts;
use crate::directory::{Directory, Mode, ServerLock, ServerLockError};
use crate::failure::of_opening;
use crate::spool::SqliteSpool;

/// An open store. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    accounts: SqliteAccounts,
    spool: SqliteSpool,
    /// Held by whoever still uses the store as its server.
    _lock: Option<Arc<ServerLock>>,
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another server has it open.
    #[error("the store {path} is in use by {holder}; stop that one first")]
    Held {
        /// The directory.
        path: PathBuf,
        /// Which process.
        holder: String,
    },
    /// The directory or a file in it cannot be made, read or written.
    #[error("the store {path} cannot be used")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A database does not open, or is newer than this program.
    #[error("the databases of the store {path} cannot be used")]
    Database {
        /// The directory.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl SqliteStore {
    /// Opens the store in the directory `path`, which is made if it does not exist.
    ///
    /// In [`Mode::Server`] it is an error if another server has it open; leases are ended, since whoever held them is
    /// dead, and files of messages that never got their 250 are removed.
    pub async fn open(path: &Path, mode: Mode) -> Result<Self, OpenError> {
        let opening = Opening { path };
        let (directory, lock) = opening.directory(mode).await?;
        if mode == Mode::Server {
            SqliteSpool::make_room(&directory).await;
        }
        let (accounts, spool) = opening.databases(directory, mode).await?;
        if mode == Mode::Server {
            spool.recover().await.map_err(|error| opening.database(error))?;
        }
        Ok(Self { accounts, spool, _lock: lock.map(Arc::new) })
    }

    /// The accounts and app passwords.
    pub fn accounts(&self) -> &SqliteAccounts {
        &self.accounts
    }

    /// The queue.
    pub fn spool(&self) -> &SqliteSpool {
        &self.spool
    }

    /// Writes what is noted and closes the databases. What is committed is durable without it.
    pub async fn close(&self) {
        self.accounts.close().await;
        self.spool.close().await;
    }
}

/// Knows the path for the errors.
struct Opening<'a> {
    path: &'a Path,
}

impl Opening<'_> {
    async fn directory(&self, mode: Mode) -> Result<(Directory, Option<ServerLock>), OpenError> {
        let path = self.path.to_owned();
        let prepared = tokio::task::spawn_blocking(move || {
            let directory = Directory::prepare(&path)?;
            let lock = match mode {
                Mode::Server => Some(directory.lock_server()?),
                Mode::Command => None,
            };
            Ok((directory, lock))
        });
        match prepared.await {
            Ok(Ok(prepared)) => Ok(prepared),
            Ok(Err(ServerLockError::Held(holder))) => {
                Err(OpenError::Held { path: self.path.to_owned(), holder })
            }
            Ok(Err(ServerLockError::Io(error))) => Err(self.io(error)),
            Err(error) => Err(self.io(error.into())),
        }
    }

    /// Opens both databases, one process at a time, since this may change their schemas.
    async fn databases(
        &self,
        directory: Directory,
        mode: Mode,
    ) -> Result<(SqliteAccounts, SqliteSpool), OpenError> {
        let waiting = directory.clone();
        let lock = tokio::task::spawn_blocking(move || waiting.lock_migrations()).await;
        let _lock = lock.map_err(io::Error::from).flatten().map_err(|error| self.io(error))?;
        let accounts = SqliteAccounts::open(&directory).await;
        let accounts = accounts.map_err(|error| self.database(of_opening(error)))?;
        let spool = SqliteSpool::open(directory, mode).await;
        let spool = spool.map_err(|error| self.database(of_opening(error)))?;
        Ok((accounts, spool))
    }

    fn io(&self, source: io::Error) -> OpenError {
        OpenError::Directory { path: self.path.to_owned(), source }
    }

    fn database(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> OpenError {
        OpenError::Database { path: self.path.to_owned(), source: source.into() }
    }
}
