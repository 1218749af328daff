//! The accounts database.

mod account;
mod app_password;
mod audit;
mod certificate;
mod challenge_key;
mod identity;
mod import;
mod notes;
mod sealed;
mod second_factor;
mod sending;
mod throttle;
mod wal_index;
#[cfg(test)]
mod cost;

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::{Sqlite, SqlitePool, Transaction};
use store::Error;

use crate::connect;
use crate::directory::Directory;
use crate::failure::unavailable;
use crate::schema::{self, SchemaError};
use notes::Notes;
use wal_index::WalIndex;

/// How many rows one transaction forgets: a few milliseconds in which logins are not written down.
const PIECE: u32 = 1_000;

/// The accounts and their app passwords. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub struct SqliteAccounts {
    readers: SqlitePool,
    writer: SqlitePool,
    notes: Arc<Notes>,
    wal_index: WalIndex,
}

impl SqliteAccounts {
    /// Opens the database.
    pub(crate) async fn open(directory: &Directory) -> Result<Self, SchemaError> {
        let readers = connect::readers(connect::accounts(directory));
        let writer = connect::writer(connect::accounts(directory));
        schema::ACCOUNTS.require(&mut *writer.acquire().await?).await?;
        let notes = Notes::start(writer.clone());
        let wal_index = WalIndex::open(&directory.accounts_wal_index());
        Ok(Self { readers, writer, notes, wal_index })
    }

    /// Connections that cannot write.
    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    pub(crate) async fn close(&self) {
        if let Err(error) = self.notes.flush(&self.writer).await {
            tracing::warn!(event = "store.failing", %error, "the last uses of credentials were not written");
        }
        self.readers.close().await;
        self.writer.close().await;
    }

    async fn begin(&self) -> Result<Transaction<'_, Sqlite>, Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await.map_err(unavailable)
    }

    /// Deletes rows from before a time in pieces; says how many. `piece` deletes as many as its second parameter says.
    async fn forget(&self, piece: &'static str, before: Timestamp) -> Result<u64, Error> {
        let mut forgotten = 0;
        loop {
            let piece = sqlx::query(piece).bind(before.as_millisecond()).bind(PIECE);
            let gone = piece.execute(&self.writer).await.map_err(unavailable)?.rows_affected();
            forgotten += gone;
            if gone < u64::from(PIECE) {
                return Ok(forgotten);
            }
        }
    }
}
