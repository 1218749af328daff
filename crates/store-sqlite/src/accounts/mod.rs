//! The accounts database.

mod account;
mod api_token;
mod app_password;
mod audit;
mod certificate;
mod challenge_key;
mod database;
mod dkim;
mod idempotency;
mod enrolment;
mod identity;
mod import;
mod noted_sign_in;
mod notes;
mod prune;
mod sealed;
mod second_factor;
mod session_rights;
mod sending;
mod sign_in;
mod sts;
mod throttle;
mod web_session;
mod webhook;
mod wal_index;

use std::sync::Arc;

use sqlx::{Sqlite, SqlitePool, Transaction};
use store::Error;
use tokio::sync::Mutex;

use crate::directory::{Directory, Mode};
use crate::failure::unavailable;
use crate::losses::Losses;
use crate::schema::SchemaError;
use database::Database;
use notes::Notes;

/// The accounts and their app passwords. A clone is another handle to the same.
#[derive(Debug, Clone)]
pub struct SqliteAccounts {
    database: Database,
    notes: Arc<Notes>,
    /// Whose turn it is to change throttles: guesses wait for each other before they wait for the connection that writes, so that however
    /// many there are, no other change waits for more than one of them. How many attempts were counted by this process.
    guesses: Arc<Mutex<u64>>,
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

    /// Commits what changes nothing.
    pub(crate) async fn try_to_write(&self) -> Result<(), Error> {
        let mut transaction = self.begin().await?;
        // A value that is written over itself is no write to SQLite.
        let there = sqlx::query("UPDATE revision SET revision = revision + 1");
        there.execute(&mut *transaction).await.map_err(unavailable)?;
        let back = sqlx::query("UPDATE revision SET revision = revision - 1");
        back.execute(&mut *transaction).await.map_err(unavailable)?;
        transaction.commit().await.map_err(unavailable)
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
}

#[cfg(test)]
mod cost;
