//! The accounts database.

mod account;
mod app_password;
mod audit;
mod certificate;
mod challenge_key;
mod database;
mod identity;
mod import;
mod notes;
mod sealed;
mod second_factor;
mod session_rights;
mod sending;
mod throttle;
mod wal_index;
#[cfg(test)]
mod cost;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sqlx::{Sqlite, SqlitePool, Transaction};
use store::Error;
use tokio::sync::Mutex;

use crate::directory::{Directory, Mode};
use crate::failure::unavailable;
use crate::losses::Losses;
use crate::schema::SchemaError;
use database::Database;
use notes::Notes;

/// How many rows one transaction forgets: a few milliseconds in which logins are not written down.
const PIECE: u32 = 1_000;

/// The accounts and their app passwords. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub struct SqliteAccounts {
    database: Database,
    notes: Arc<Notes>,
    /// Whose turn it is to change throttles: guesses wait for each other before they wait for the connection that writes, so that however
    /// many there are, no other change waits for more than one of them.
    guesses: Arc<Mutex<()>>,
}

impl SqliteAccounts {
    /// Opens the database.
    pub(crate) async fn open(directory: &Directory, mode: Mode) -> Result<Self, SchemaError> {
        let database = Database::open(directory, mode).await?;
        let notes = Notes::start(database.clone());
        Ok(Self { database, notes, guesses: Arc::default() })
    }

    /// Connections that cannot write.
    pub(crate) fn readers(&self) -> Result<&SqlitePool, Error> {
        self.database.readers()
    }

    /// What may be missing.
    pub(crate) fn losses(&self) -> &Losses {
        self.database.losses()
    }

    pub(crate) async fn close(&self) {
        if let Err(error) = self.notes.flush(&self.database).await {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(event = "store.failing", error, "the last uses of credentials were not written");
        }
        self.database.close().await;
    }

    async fn begin_change(&self) -> Result<Transaction<'_, Sqlite>, Error> {
        self.database.begin_change().await
    }

    async fn begin(&self) -> Result<Transaction<'_, Sqlite>, Error> {
        self.database.begin().await
    }

    /// Sets times that lie more than a day ahead to now: a clock that was ahead has written them. `update` has both as its parameters.
    async fn bring_back(&self, update: &'static str, now: Timestamp) -> Result<(), Error> {
        let update = sqlx::query(update).bind(now.as_millisecond()).bind(far_ahead(now).as_millisecond());
        update.execute(self.database.writer()?).await.map(drop).map_err(unavailable)
    }

    /// Deletes rows from before a time in pieces; says how many. `piece` deletes as many as its second parameter says.
    async fn forget(&self, piece: &'static str, before: Timestamp) -> Result<u64, Error> {
        let mut forgotten = 0;
        loop {
            let piece = sqlx::query(piece).bind(before.as_millisecond()).bind(PIECE);
            let gone = piece.execute(self.database.writer()?).await.map_err(unavailable)?.rows_affected();
            forgotten += gone;
            if gone < u64::from(PIECE) {
                return Ok(forgotten);
            }
        }
    }
}

/// What is later than this was written by a clock that was ahead.
fn far_ahead(now: Timestamp) -> Timestamp {
    now.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX)
}
