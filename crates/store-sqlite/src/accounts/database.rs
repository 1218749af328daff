//! The connections to the accounts database, for as long as its files are those that were opened.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::{Sqlite, SqlitePool, Transaction};
use store::{Error, Revision};

use super::wal_index::{LastCommit, WalIndex};
use crate::commit_mark::{self, Marker};
use crate::connect;
use crate::directory::{Directory, Mode};
use crate::failure::unavailable;
use crate::losses::Losses;
use crate::schema::{self, SchemaError};
use crate::watch::FileWatch;

#[derive(Debug, Clone)]
pub(super) struct Database {
    watch: Arc<FileWatch>,
    readers: SqlitePool,
    writer: SqlitePool,
    /// Only of a server, which has it open for long.
    anchor: Option<SqlitePool>,
    wal_index: WalIndex,
    /// The revision, as it was at this commit.
    known_revision: Arc<Mutex<Option<(LastCommit, Revision)>>>,
    marker: Option<Arc<Marker>>,
    losses: Losses,
    path: PathBuf,
}

impl Database {
    /// Opens the database, which must have this program's schema.
    pub(super) async fn open(directory: &Directory, mode: Mode) -> Result<Self, SchemaError> {
        let options = connect::accounts(directory);
        let (readers, writer) = (connect::readers(options.clone()), connect::writer(options.clone()));
        schema::ACCOUNTS.require(&mut *writer.acquire().await?).await?;
        let path = directory.accounts();
        let marker = Marker::open(&path);
        // A server has a connection that stays, and the watch looks at all of its files.
        let wal_index = WalIndex::open(&directory.accounts_wal_index(), mode == Mode::Server);
        let (watch, anchor, wal_index) = match mode {
            Mode::Command => (FileWatch::nothing(), None, wal_index),
            Mode::Server => {
                let anchor = connect::anchor(options).await?;
                marker.iter().for_each(Marker::start);
                (FileWatch::of_accounts(directory), Some(anchor), wal_index.test_with(&writer).await)
            }
        };
        let (watch, losses) = (Arc::new(watch).start(), Losses::of(&path));
        let known_revision = Arc::default();
        Ok(Self { watch, readers, writer, anchor, wal_index, known_revision, marker, losses, path })
    }

    /// Connections that read.
    ///
    /// # Errors
    /// When the database is no longer the file that was opened.
    pub(super) fn readers(&self) -> Result<&SqlitePool, Error> {
        self.in_place().map(|()| &self.readers)
    }

    /// The connection that writes.
    ///
    /// # Errors
    /// As [`readers`](Self::readers).
    pub(super) fn writer(&self) -> Result<&SqlitePool, Error> {
        self.in_place().map(|()| &self.writer)
    }

    /// The revision, if it can be told without a query whether anything was committed since it was read.
    pub(super) async fn revision(&self) -> Option<Revision> {
        let last_commit = self.in_place().ok().and_then(|()| self.wal_index.last_commit())?;
        if let Some((at, revision)) = *self.known_revision()
            && at == last_commit
        {
            return Some(revision);
        }
        // If there is another commit meanwhile, this is newer than what it is remembered for, and is read again.
        let revision = sqlx::query_scalar("SELECT revision FROM revision").fetch_one(&self.readers).await;
        let revision = Revision(revision.ok().and_then(|revision: i64| u64::try_from(revision).ok())?);
        *self.known_revision() = Some((last_commit, revision));
        Some(revision)
    }

    fn known_revision(&self) -> MutexGuard<'_, Option<(LastCommit, Revision)>> {
        self.known_revision.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn losses(&self) -> &Losses {
        &self.losses
    }

    fn in_place(&self) -> Result<(), Error> {
        self.watch.seen().map_err(|gone| Error::Unavailable(Box::new(gone)))
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'_, Sqlite>, Error> {
        self.writer()?.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable)
    }

    /// A transaction that changes something of accounts, credentials, identities, limits or DKIM keys.
    pub(super) async fn begin_change(&self) -> Result<Transaction<'_, Sqlite>, Error> {
        let mut transaction = self.begin().await?;
        let moved = sqlx::query("UPDATE revision SET revision = revision + 1").execute(&mut *transaction);
        moved.await.map_err(unavailable)?;
        Ok(transaction)
    }

    pub(super) async fn close(&self) {
        self.watch.end();
        if let Some(marker) = &self.marker {
            marker.settle();
        }
        if self.anchor.is_some() {
            connect::checkpoint(&self.writer).await;
        }
        self.readers.close().await;
        self.writer.close().await;
        if let Some(anchor) = &self.anchor {
            anchor.close().await;
        }
        commit_mark::forget_if_closed(&self.path);
    }
}
