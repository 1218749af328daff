//! The ledger's database: what was sent, and what became of it.
//!
//! It is apart from the queue, so that mail waits for nothing of it: the spool notes what it has confirmed, and the notes are written once a
//! second, with one sync. Who writes what, and in which order, makes no difference, so commands beside the server write their own.

mod note;
mod rows;
mod backlog;
mod database;
mod notes;
mod select;
mod traffic;
mod recover;
mod tls_results;

use std::sync::Arc;

use jiff::Timestamp;
use sqlx::{SqliteConnection, SqlitePool};
use store::{Error, Ledger, LedgerFilter, LedgerMessage, LedgerName, LedgerTrace, Page, Traffic};
use types::{AccountId, QueueId};

pub(crate) use database::tell;
pub(crate) use note::Note;

use crate::directory::{Directory, Mode};
use crate::failure::unavailable;
use crate::schema::SchemaError;
use database::Database;
use notes::Notes;

/// Messages that are forgotten in one transaction.
const TOGETHER: u32 = 500;

/// The ledger. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub struct SqliteLedger {
    database: Database,
    notes: Arc<Notes>,
}

impl SqliteLedger {
    /// Opens the database.
    pub(crate) async fn open(directory: &Directory, mode: Mode) -> Result<Self, SchemaError> {
        let database = Database::open(directory, mode).await?;
        let notes = Notes::start(database.clone());
        Ok(Self { database, notes })
    }

    /// What `make` makes of what the spool is about to confirm; `None` if nothing is noted.
    pub(crate) fn noted<T>(&self, make: impl FnOnce() -> T) -> Option<T> {
        self.notes.is_kept().then(make)
    }

    /// Notes what the spool has confirmed. Nobody waits for it.
    pub(crate) fn note(&self, note: &Note) {
        self.notes.add(note);
    }

    /// How many notes could not be kept since the ledger was opened, as it could not be written as fast as they came.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.notes.dropped()
    }

    /// Enters what a crash has kept out of it, in the background.
    pub(crate) fn recover(&self, queue: SqlitePool, may_lack: bool) {
        let ledger = self.clone();
        tokio::spawn(async move {
            let caught_up = ledger.database.catch_up().await;
            let recovered =
                recover::recover(&ledger.database, &queue, may_lack, || ledger.notes.is_kept()).await;
            match caught_up.and(recovered.map_err(unavailable)) {
                Err(error) if !queue.is_closed() => tell(&error),
                _ => {}
            }
        });
    }

    /// Connections that cannot write.
    pub(crate) fn readers(&self) -> &SqlitePool {
        self.database.readers()
    }

    pub(crate) async fn close(&self) {
        if !self.notes.is_empty()
            && let Err(error) = self.flush().await
        {
            tell(&error);
        }
        self.database.close().await;
    }
}

impl Ledger for SqliteLedger {
    fn set_kept(&self, kept: bool) {
        self.notes.set_kept(kept);
    }

    async fn flush(&self) -> Result<(), Error> {
        self.notes.write(&self.database).await
    }

    async fn messages(
        &self,
        filter: &LedgerFilter,
        page: Page<QueueId>,
    ) -> Result<Vec<LedgerMessage>, Error> {
        self.database.catch_up().await?;
        select::messages(self.readers(), filter, page).await.map_err(unavailable)
    }

    async fn sent_with(&self, account: AccountId, since: Timestamp) -> Result<Vec<(String, u64)>, Error> {
        self.database.catch_up().await?;
        select::sent_with(self.readers(), account, since).await.map_err(unavailable)
    }

    async fn named(&self, name: &LedgerName, at_most: u32) -> Result<Vec<QueueId>, Error> {
        self.database.catch_up().await?;
        select::named(self.readers(), name, at_most).await.map_err(unavailable)
    }

    async fn trace(&self, id: QueueId) -> Result<Option<LedgerTrace>, Error> {
        self.database.catch_up().await?;
        select::trace(self.readers(), id).await.map_err(unavailable)
    }

    async fn traffic(&self, since: Timestamp) -> Result<Traffic, Error> {
        self.database.catch_up().await?;
        traffic::since(self.readers(), since).await.map_err(unavailable)
    }

    async fn prune(&self, before: Timestamp) -> Result<bool, Error> {
        self.forget(select::first_of(before)).await.map_err(unavailable)
    }
}

const OLDEST: &str = "SELECT id FROM messages WHERE id < $1 ORDER BY id LIMIT 1 OFFSET $2";
const FORGET: [&str; 4] = [
    "DELETE FROM recipients WHERE message < $1",
    "DELETE FROM attempts WHERE message < $1",
    "DELETE FROM operations WHERE message < $1",
    "DELETE FROM messages WHERE id < $1",
];
const ANY_BEFORE: &str = "SELECT EXISTS (SELECT 1 FROM messages WHERE id < $1)";

impl SqliteLedger {
    /// Forgets the oldest messages, up to this id; whether there may be more.
    async fn forget(&self, before: QueueId) -> Result<bool, sqlx::Error> {
        let before = before.as_bytes().to_vec();
        // To write is to sync, and nearly always there is nothing.
        if !sqlx::query_scalar(ANY_BEFORE).bind(before.clone()).fetch_one(self.readers()).await? {
            return Ok(false);
        }
        let mut transaction = self.database.begin().await?;
        let end = piece(&mut transaction, &before).await?;
        for statement in FORGET {
            sqlx::query(statement)
                .bind(end.clone().unwrap_or_else(|| before.clone()))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(end.is_some())
    }
}

/// Where a piece of what is to be forgotten ends; `None` if it is all.
async fn piece(connection: &mut SqliteConnection, before: &[u8]) -> Result<Option<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar(OLDEST).bind(before.to_vec()).bind(TOGETHER).fetch_optional(connection).await
}
