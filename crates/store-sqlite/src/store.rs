//! Opening and closing a store.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::{ConnectOptions as _, Connection as _};

use crate::accounts::SqliteAccounts;
use crate::commit_mark::{self, Marker};
use crate::connect;
use crate::directory::{Directory, Mode, NotOurs, ServerLock};
use crate::ledger::{self, SqliteLedger};
use crate::losses::{self, Losses};
use crate::once::OpenOnce;
use crate::schema::{self, Migrated, SchemaError};
use crate::spool::SqliteSpool;

/// An open store. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    accounts: SqliteAccounts,
    spool: SqliteSpool,
    ledger: SqliteLedger,
    /// Held by whoever still uses the store as its server.
    _lock: Option<Arc<ServerLock>>,
    _once: Arc<OpenOnce>,
}

/// A store that this process alone may open: its directory is there and, for a server, locked. Nothing in it has been read.
#[derive(Debug)]
pub struct Claimed {
    path: PathBuf,
    mode: Mode,
    directory: Directory,
    once: OpenOnce,
    lock: Option<ServerLock>,
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
    /// This process has it open.
    #[error("the store {path} is open in this process already; use that handle, or drop it first")]
    OpenAlready {
        /// The directory.
        path: PathBuf,
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
    /// A database has the schema of an older version, and only the server or a migration may change that.
    #[error(
        "the store {path} has the schema of an older version: stop the server and run `gatepost store migrate`, or restart the \
         server with this version, which migrates the store, too"
    )]
    Older {
        /// The directory.
        path: PathBuf,
    },
    /// A database has the schema of a newer version, or one that no version has.
    #[error(
        "the store {path} has the schema of a newer version, or of another build: use that one, or put back a backup from \
         before the upgrade"
    )]
    Newer {
        /// The directory.
        path: PathBuf,
    },
    /// A database does not open.
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
    /// Opens the store in the directory `path`, which is made if it does not exist. A process has a store open once;
    /// clones are further handles.
    ///
    /// In [`Mode::Server`] it is an error if another server has it open; an older schema is migrated; leases are ended, since
    /// whoever held them is dead, and files of messages that never got their 250 are removed. In [`Mode::Command`] an older
    /// schema is an error.
    pub async fn open(path: &Path, mode: Mode) -> Result<Self, OpenError> {
        Opening { path }.claim(mode).await?.open().await
    }

    /// The first half of [`SqliteStore::open`], which needs no runtime, and blocks.
    pub fn claim(path: &Path, mode: Mode) -> Result<Claimed, OpenError> {
        Claimed::take(path, mode).map_err(|error| Opening { path }.not_ours(error))
    }

    /// Whether there is a store in the directory `path`.
    ///
    /// # Errors
    /// When that can't be told.
    pub fn exists(path: &Path) -> io::Result<bool> {
        Directory::at(path).accounts().try_exists()
    }

    /// Brings the schemas of the store in the directory `path` up to date, and says what was done.
    ///
    /// It is an error if a server has the store open.
    pub async fn migrate(path: &Path) -> Result<Vec<Migrated>, OpenError> {
        let opening = Opening { path };
        let claimed = opening.claim(Mode::Server).await?;
        opening.look(&claimed).await?;
        SqliteSpool::make_room(&claimed.directory).await;
        opening.migrate(&claimed.directory).await
    }

    /// Opens the store once more, with connections, a writer and notes of its own, as a command in another process would: for
    /// whoever wants to see that two of them get along. The files that must not be opened twice in a process are closed only when it ends.
    pub async fn beside(&self) -> Result<Self, OpenError> {
        let directory = self.spool.directory().clone();
        let path = directory.root().to_owned();
        let (accounts, spool, ledger) = Opening { path: &path }.databases(directory, Mode::Command).await?;
        Ok(Self { accounts, spool, ledger, _lock: self._lock.clone(), _once: Arc::clone(&self._once) })
    }

    /// The accounts and app passwords.
    pub fn accounts(&self) -> &SqliteAccounts {
        &self.accounts
    }

    /// The queue.
    pub fn spool(&self) -> &SqliteSpool {
        &self.spool
    }

    /// What was sent.
    pub fn ledger(&self) -> &SqliteLedger {
        &self.ledger
    }

    /// What may be missing since a WAL was found damaged, a sentence for each database.
    pub fn losses(&self) -> Vec<String> {
        self.all_losses().into_iter().filter_map(|losses| losses.read()).collect()
    }

    /// Accepts that it is missing.
    ///
    /// # Errors
    /// When the note of it can't be removed.
    pub fn accept_losses(&self) -> io::Result<()> {
        self.all_losses().into_iter().filter(Losses::are_open).try_for_each(|losses| losses.accept())
    }

    /// Writes what is noted and closes the databases. What is committed is durable without it.
    pub async fn close(&self) {
        self.accounts.close().await;
        self.spool.close().await;
        self.ledger.close().await;
    }

    fn all_losses(&self) -> [Losses; 2] {
        [self.accounts().losses().clone(), self.spool().losses().clone()]
    }
}

impl Claimed {
    fn take(path: &Path, mode: Mode) -> Result<Self, NotOurs> {
        let directory = Directory::prepare(path)?;
        let once = OpenOnce::claim(path)?.ok_or(NotOurs::OpenAlready)?;
        let lock = match mode {
            Mode::Server => Some(directory.lock_server()?),
            Mode::Command => None,
        };
        Ok(Self { path: path.to_owned(), mode, directory, once, lock })
    }

    /// The second half of [`SqliteStore::open`].
    pub async fn open(self) -> Result<SqliteStore, OpenError> {
        let opening = Opening { path: &self.path };
        opening.look(&self).await?;
        if self.mode == Mode::Server {
            SqliteSpool::make_room(&self.directory).await;
            opening.migrate(&self.directory).await?.iter().for_each(tell);
        }
        let (accounts, spool, ledger) = opening.databases(self.directory, self.mode).await?;
        if self.mode == Mode::Server {
            spool.recover().await.map_err(|error| opening.database(error))?;
            ledger.recover(spool.readers().clone(), spool.losses().are_open());
        }
        Ok(SqliteStore {
            accounts,
            spool,
            ledger,
            _lock: self.lock.map(Arc::new),
            _once: Arc::new(self.once),
        })
    }
}

/// Brings the schema of the ledger up to date. A ledger that can't be read is told of, and stops nothing.
async fn migrated_ledger(directory: &Directory) -> Result<Option<Migrated>, SchemaError> {
    let migrated = async {
        let mut connection = connect::ledger(directory).connect().await?;
        let migrated = schema::LEDGER.migrate(&mut connection).await?;
        connection.close().await?;
        Ok(migrated)
    };
    match migrated.await {
        Err(SchemaError::Database(error)) => {
            ledger::tell(&*error);
            Ok(None)
        }
        migrated => migrated.map(Some),
    }
}

fn tell(Migrated { database, from, to }: &Migrated) {
    if (1..*to).contains(from) {
        tracing::info!(
            event = "store.migrated",
            database,
            from,
            to,
            "the schema of an older version is migrated"
        );
    }
}

/// Knows the path for the errors.
struct Opening<'a> {
    path: &'a Path,
}

impl Opening<'_> {
    async fn claim(&self, mode: Mode) -> Result<Claimed, OpenError> {
        let path = self.path.to_owned();
        let claimed = tokio::task::spawn_blocking(move || Claimed::take(&path, mode)).await;
        claimed.map_err(|error| self.io(error.into()))?.map_err(|error| self.not_ours(error))
    }

    /// Looks whether something is missing, before SQLite writes over what is damaged.
    async fn look(&self, claimed: &Claimed) -> Result<(), OpenError> {
        let (directory, mode) = (claimed.directory.clone(), claimed.mode);
        let looked = tokio::task::spawn_blocking(move || {
            losses::look(&directory)?;
            if mode == Mode::Server {
                losses::tell(&directory);
            }
            Ok(())
        });
        looked.await.map_err(io::Error::from).flatten().map_err(|error| self.io(error))
    }

    /// Brings the schemas up to date, one process at a time.
    async fn migrate(&self, directory: &Directory) -> Result<Vec<Migrated>, OpenError> {
        let _lock = self.lock_schemas(directory).await?;
        let migrated = async {
            let mut accounts = connect::accounts(directory).connect().await?;
            let mut queue = connect::queue(directory).connect().await?;
            let mut migrated = vec![
                schema::ACCOUNTS.migrate(&mut accounts).await?,
                schema::QUEUE.migrate(&mut queue).await?,
            ];
            migrated.extend(migrated_ledger(directory).await?);
            let databases = [directory.accounts(), directory.queue()];
            databases.iter().filter_map(|path| Marker::open(path)).for_each(|marker| marker.settle());
            accounts.close().await?;
            queue.close().await?;
            databases.iter().for_each(|path| commit_mark::forget_if_closed(path));
            Ok(migrated)
        };
        migrated.await.map_err(|error| self.schema(error))
    }

    /// Opens the databases, one process at a time, since this may make their schemas.
    async fn databases(
        &self,
        directory: Directory,
        mode: Mode,
    ) -> Result<(SqliteAccounts, SqliteSpool, SqliteLedger), OpenError> {
        let _lock = self.lock_schemas(&directory).await?;
        let accounts = SqliteAccounts::open(&directory, mode).await.map_err(|error| self.schema(error))?;
        let ledger = SqliteLedger::open(&directory, mode).await.map_err(|error| self.schema(error))?;
        let spool = SqliteSpool::open(directory, mode, ledger.clone()).await;
        Ok((accounts, spool.map_err(|error| self.schema(error))?, ledger))
    }

    async fn lock_schemas(&self, directory: &Directory) -> Result<File, OpenError> {
        let waiting = directory.clone();
        let lock = tokio::task::spawn_blocking(move || waiting.lock_migrations()).await;
        lock.map_err(io::Error::from).flatten().map_err(|error| self.io(error))
    }

    fn schema(&self, error: SchemaError) -> OpenError {
        match error {
            SchemaError::Older => OpenError::Older { path: self.path.to_owned() },
            SchemaError::Newer => OpenError::Newer { path: self.path.to_owned() },
            SchemaError::Database(source) => self.database(source),
        }
    }

    fn not_ours(&self, error: NotOurs) -> OpenError {
        let path = self.path.to_owned();
        match error {
            NotOurs::OpenAlready => OpenError::OpenAlready { path },
            NotOurs::Held(holder) => OpenError::Held { path, holder },
            NotOurs::Io(source) => OpenError::Directory { path, source },
        }
    }

    fn io(&self, source: io::Error) -> OpenError {
        OpenError::Directory { path: self.path.to_owned(), source }
    }

    fn database(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> OpenError {
        OpenError::Database { path: self.path.to_owned(), source: source.into() }
    }
}
