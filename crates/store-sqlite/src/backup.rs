//! A copy of a store that is a store of its own, made while a server runs.
//!
//! Each database is copied by SQLite, as it stands at one moment: the queue first, then the accounts, then the ledger. Then come the files of
//! the large messages that were in the queue at that moment. One whose file is gone by then has been delivered or removed
//! meanwhile, and is left out. Neither a WAL nor the marks of the last commits come along: there is nothing that could be behind.
//! All of it is written beside the place it is to have, synced, and renamed there: what bears the name of a backup is whole. The directory
//! is locked meanwhile, so that what a killed backup has left can be told from one that is being made; the next one clears it away.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection};
use types::QueueId;

use crate::connect;
use crate::directory::Directory;
use crate::failure;
use crate::row::octets;
use crate::store::SqliteStore;

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackedUp {
    /// Accounts.
    pub accounts: u64,
    /// Messages in the queue.
    pub messages: u64,
}

/// Why there is no backup.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Something is there already.
    #[error("{} exists and is not empty: name another directory for the backup", .0.display())]
    Exists(PathBuf),
    /// Another backup is being made there.
    #[error("{} is being written by another backup: wait for it, or name another directory", .0.display())]
    BeingMade(PathBuf),
    /// What is there need not have been left by a backup.
    #[error("{} is in the way, and holds {} that no backup has left: remove it, or name another directory", .0.display(), .1.display())]
    InTheWay(PathBuf, PathBuf),
    /// The backup can't be written.
    #[error("cannot write the backup {}", .0.display())]
    Unwritable(PathBuf, #[source] io::Error),
    /// A database can't be copied.
    #[error("cannot copy the databases of the store")]
    Database(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(failure::told(error))
    }
}

impl SqliteStore {
    /// Copies the store in the directory `from`, of whatever version, to the directory `to`, which must not be there or be empty.
    ///
    /// # Errors
    /// When the store can't be read, or the backup can't be written; then there is none.
    pub async fn back_up(from: &Path, to: &Path) -> Result<BackedUp, BackupError> {
        if fs::read_dir(to).is_ok_and(|mut entries| entries.next().is_some()) || to.is_file() {
            return Err(BackupError::Exists(to.to_owned()));
        }
        let draft = Draft::make(to)?;
        match draft.fill(&Directory::at(from)).await {
            Ok(made) => draft.rename(to).map(|()| made),
            Err(error) => {
                draft.discard();
                Err(error)
            }
        }
    }
}

/// A backup that is being made.
struct Draft {
    directory: Directory,
    _lock: File,
}

impl Draft {
    fn make(to: &Path) -> Result<Self, BackupError> {
        let mut path = to.file_name().map(OsString::from).unwrap_or_default();
        path.push(".partial");
        let path = to.with_file_name(path);
        let unwritable = |error| BackupError::Unwritable(to.to_owned(), error);
        let is_new = made_private(&path).map_err(unwritable)?;
        let lock = File::open(&path).map_err(unwritable)?;
        match lock.try_lock() {
            Ok(()) => clear(&path)?,
            // Not every file system locks directories.
            Err(TryLockError::Error(_)) if is_new => {}
            Err(_) => return Err(BackupError::BeingMade(path)),
        }
        let draft = Self { directory: Directory::at(&path), _lock: lock };
        made_private(&draft.directory.spool()).map_err(|error| draft.unwritable(error))?;
        Ok(draft)
    }

    async fn fill(&self, from: &Directory) -> Result<BackedUp, BackupError> {
        self.copy_database(connect::queue(from), &self.directory.queue()).await?;
        self.copy_database(connect::accounts(from), &self.directory.accounts()).await?;
        // One of an earlier version has none.
        if from.ledger().exists() {
            self.copy_database(connect::ledger(from), &self.directory.ledger()).await?;
        }
        let messages = self.copy_messages(from).await?;
        let mut accounts = connect::accounts(&self.directory).connect().await?;
        let count = count(&mut accounts, "SELECT count(*) FROM accounts").await?;
        accounts.close().await?;
        self.sync().map_err(|error| self.unwritable(error))?;
        Ok(BackedUp { accounts: count, messages })
    }

    async fn copy_database(&self, from: SqliteConnectOptions, to: &Path) -> Result<(), BackupError> {
        // SQLite would make it readable by others, but takes an empty file as it is.
        private_file(to).map_err(|error| self.unwritable(error))?;
        let name = to.to_str().ok_or_else(|| self.unwritable(io::ErrorKind::InvalidFilename.into()))?;
        let mut connection = from.connect().await?;
        sqlx::query("VACUUM INTO $1").bind(name.to_owned()).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// Copies the files of the messages in the copied queue, and leaves out messages that are gone; says how many messages there are.
    async fn copy_messages(&self, from: &Directory) -> Result<u64, BackupError> {
        let mut queue = connect::queue(from).connect().await?;
        let mut copy = connect::queue(&self.directory).connect().await?;
        let in_files = sqlx::query_scalar("SELECT id FROM entries WHERE in_file = 1");
        let in_files: Vec<Vec<u8>> = in_files.fetch_all(&mut copy).await?;
        for id in in_files.iter().filter_map(|id| octets(id)).map(QueueId::from_bytes) {
            let (source, target) = (from.message(id), self.directory.message(id));
            let copied = tokio::task::spawn_blocking(move || copy_file(&source, &target)).await;
            match copied.map_err(io::Error::from).flatten() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    leave_out(&mut copy, &mut queue, id).await?;
                }
                Err(error) => return Err(self.unwritable(error)),
            }
        }
        let messages = queued(&mut copy).await?;
        copy.close().await?;
        queue.close().await?;
        Ok(messages)
    }

    fn sync(&self) -> io::Result<()> {
        let databases = [self.directory.accounts(), self.directory.queue(), self.directory.ledger()];
        for path in databases.iter().chain([&self.directory.spool()]).filter(|path| path.exists()) {
            File::open(path)?.sync_all()?;
        }
        File::open(self.directory.root())?.sync_all()
    }

    /// An empty directory in its place is no obstacle, unless it is the root of a file system.
    fn rename(&self, to: &Path) -> Result<(), BackupError> {
        let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let renamed = fs::rename(self.directory.root(), to)
            .inspect_err(|_| self.discard())
            .and_then(|()| File::open(parent)?.sync_all());
        renamed.map_err(|error| BackupError::Unwritable(to.to_owned(), error))
    }

    fn discard(&self) {
        if let Err(error) = fs::remove_dir_all(self.directory.root()) {
            let path = self.directory.root().display();
            tracing::warn!(event = "store.failing", %error, "the unfinished backup {path} could not be removed");
        }
    }

    fn unwritable(&self, error: io::Error) -> BackupError {
        BackupError::Unwritable(self.directory.root().to_owned(), error)
    }
}

/// Makes a directory that is its owner's alone; `false` if there is one.
fn made_private(path: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        made => made.map(|()| true),
    }
}

/// Removes what a backup that was killed has left: nothing, if there is anything else.
fn clear(draft: &Path) -> Result<(), BackupError> {
    let unwritable = |error| BackupError::Unwritable(draft.to_owned(), error);
    let entries = fs::read_dir(draft).map_err(unwritable)?;
    let entries: Vec<PathBuf> =
        entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>().map_err(unwritable)?;
    if let Some(foreign) = entries.iter().find(|entry| !is_of_a_backup(entry)) {
        return Err(BackupError::InTheWay(draft.to_owned(), foreign.clone()));
    }
    let remove =
        |entry: &PathBuf| if entry.is_dir() { fs::remove_dir_all(entry) } else { fs::remove_file(entry) };
    entries.iter().try_for_each(remove).map_err(unwritable)
}

/// A database, with what SQLite has beside it, or the files of messages.
fn is_of_a_backup(entry: &Path) -> bool {
    let name = entry.file_name().and_then(OsStr::to_str);
    name.is_some_and(|name| {
        name == "spool"
            || ["accounts.db", "queue.db", "ledger.db"].iter().any(|database| name.starts_with(database))
    })
}

async fn count(connection: &mut SqliteConnection, query: &'static str) -> Result<u64, sqlx::Error> {
    let count: i64 = sqlx::query_scalar(query).fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}

/// The file of this message is not there. If the message is still queued, it was lost, which the copy shows as the store does. If it is settled, nothing
/// is left to be done for it: what it came to is shown for a while, of which a backup can do without.
async fn leave_out(
    copy: &mut SqliteConnection,
    queue: &mut SqliteConnection,
    id: QueueId,
) -> Result<(), sqlx::Error> {
    let id = id.as_bytes().to_vec();
    let queued = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM entries WHERE id = $1 AND in_file = 1)");
    if queued.bind(id.clone()).fetch_one(queue).await? {
        return Ok(());
    }
    if is_there(copy, DELIVERIES).await? {
        sqlx::query("DELETE FROM deliveries WHERE entry = $1").bind(id.clone()).execute(&mut *copy).await?;
    }
    for delete in ["DELETE FROM recipients WHERE entry = $1", "DELETE FROM entries WHERE id = $1"] {
        sqlx::query(delete).bind(id.clone()).execute(&mut *copy).await?;
    }
    Ok(())
}

/// What stores of earlier versions do not have.
const DELIVERIES: &str = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'deliveries')";
const SETTLED_AT: &str =
    "SELECT EXISTS (SELECT 1 FROM pragma_table_info('entries') WHERE name = 'settled_at')";

async fn is_there(connection: &mut SqliteConnection, query: &'static str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(query).fetch_one(connection).await
}

/// The messages that something is left to be done for.
async fn queued(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let query = match is_there(connection, SETTLED_AT).await? {
        true => "SELECT count(*) FROM entries WHERE settled_at IS NULL",
        false => "SELECT count(*) FROM entries",
    };
    count(connection, query).await
}

/// The files of messages are never changed, only removed.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut target = private_file(to)?;
    io::copy(&mut source, &mut target)?;
    target.sync_all()
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn database(in_file: bool) -> SqliteConnection {
        let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        for table in ["entries (id, in_file)", "recipients (entry)", "deliveries (entry)"] {
            sqlx::query(sqlx::AssertSqlSafe(format!("CREATE TABLE {table}")))
                .execute(&mut database)
                .await
                .unwrap();
        }
        let id = QueueId::from_bytes([7; 16]).as_bytes().to_vec();
        let entry = sqlx::query("INSERT INTO entries VALUES ($1, $2)").bind(id.clone()).bind(in_file);
        entry.execute(&mut database).await.unwrap();
        for insert in ["INSERT INTO recipients VALUES ($1)", "INSERT INTO deliveries VALUES ($1)"] {
            sqlx::query(insert).bind(id.clone()).execute(&mut database).await.unwrap();
        }
        database
    }

    #[tokio::test]
    async fn a_message_that_is_settled_while_it_is_copied_is_left_out_and_a_lost_one_is_not() {
        for (in_file, left) in [(false, 0), (true, 1)] {
            let (mut copy, mut queue) = (database(true).await, database(in_file).await);
            leave_out(&mut copy, &mut queue, QueueId::from_bytes([7; 16])).await.unwrap();
            for query in [
                "SELECT count(*) FROM entries",
                "SELECT count(*) FROM recipients",
                "SELECT count(*) FROM deliveries",
            ] {
                assert_eq!(count(&mut copy, query).await.unwrap(), left, "{query}");
            }
        }
    }
}
