//! The connections to the accounts database, for as long as its files are those that were opened.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::{Sqlite, SqlitePool, Transaction};
use store::{Error, Revision};

use super::wal_index::WalIndex;
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
        let wal_index = WalIndex::open(&directory.accounts_wal_index());
        let (watch, anchor, wal_index) = match mode {
            Mode::Command => (FileWatch::nothing(), None, wal_index),
            Mode::Server => {
                let anchor = connect::anchor(options).await?;
                marker.iter().for_each(Marker::start);
                (FileWatch::of_accounts(directory), Some(anchor), wal_index.test_with(&writer).await)
            }
        };
        let (watch, losses) = (Arc::new(watch).start(), Losses::of(&path));
        Ok(Self { watch, readers, writer, anchor, wal_index, marker, losses, path })
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

    /// The revision of the last commit, if that can be told.
    pub(super) fn revision(&self) -> Option<Revision> {
        self.in_place().ok()?;
        self.wal_index.revision()
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
