//! The connections to the ledger's database, and what is written by them.

use sqlx::{Sqlite, SqlitePool, Transaction};
use store::Error;

use super::backlog;
use super::note::{Line, Piece, unpacked};
use super::rows;
use crate::connect;
use crate::directory::{Directory, Mode};
use crate::failure::unavailable;
use crate::schema::{self, SchemaError};

/// Up to so many notes become rows in the second in which they come. Where more come, all of them wait: rows of them would cost as much as a
/// tenth of the mail.
const AT_ONCE: usize = 300;

/// The part of the pieces that wait which become rows in a second in which many come in: as little as can be while there are few, and in the end as
/// many as come in.
const BESIDE: usize = 1_000;

/// How many pieces of those that wait become rows in a second in which few come in: about 10,000 notes.
const CATCH_UP: usize = 60;

#[derive(Debug, Clone)]
pub(super) struct Database {
    readers: SqlitePool,
    writer: SqlitePool,
    mode: Mode,
}

impl Database {
    /// Opens the database, which must have this program's schema. One that can't be read is told of: mail goes on without a ledger.
    pub(super) async fn open(directory: &Directory, mode: Mode) -> Result<Self, SchemaError> {
        let options = connect::ledger(directory);
        let (readers, writer) = (connect::readers(options.clone()), connect::writer(options));
        match has_schema(&writer).await {
            Err(SchemaError::Database(error)) => tell(&*error),
            found => found?,
        }
        Ok(Self { readers, writer, mode })
    }

    /// Connections that read.
    pub(super) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    /// Writes notes, and some of those that wait. Whether any wait still.
    pub(super) async fn write(&self, notes: &[Piece]) -> Result<bool, Error> {
        self.write_all(notes).await.map_err(unavailable)
    }

    async fn write_all(&self, notes: &[Piece]) -> Result<bool, sqlx::Error> {
        let are_few = notes.iter().map(|piece| piece.notes()).sum::<usize>() <= AT_ONCE;
        let mut transaction = self.begin().await?;
        let waiting = backlog::pieces(&mut transaction).await?;
        // Behind those that wait, whose order is that of what happened.
        if are_few && waiting == 0 {
            let lines: Vec<Line<'_>> = notes.iter().flat_map(|piece| unpacked(piece.packed())).collect();
            rows::write(&mut transaction, &lines).await?;
        } else {
            backlog::add(&mut transaction, notes).await?;
        }
        let at_most = if are_few { CATCH_UP } else { 1 + waiting / BESIDE };
        let waits = backlog::shorten(&mut transaction, at_most).await?;
        transaction.commit().await?;
        Ok(waits)
    }

    /// Writes these lines.
    pub(super) async fn write_lines(&self, lines: &[Line<'_>]) -> Result<(), sqlx::Error> {
        let mut transaction = self.begin().await?;
        rows::write(&mut transaction, lines).await?;
        transaction.commit().await
    }

    /// Makes rows of all notes that wait, so that a reader finds them.
    pub(super) async fn catch_up(&self) -> Result<(), Error> {
        while backlog::is_there(&self.readers).await.map_err(unavailable)? {
            self.write(&[]).await?;
        }
        Ok(())
    }

    pub(super) async fn begin(&self) -> Result<Transaction<'_, Sqlite>, sqlx::Error> {
        self.writer.begin_with("BEGIN IMMEDIATE").await
    }

    pub(super) async fn close(&self) {
        if self.mode == Mode::Server {
            connect::checkpoint(&self.writer).await;
        }
        self.readers.close().await;
        self.writer.close().await;
    }
}

async fn has_schema(writer: &SqlitePool) -> Result<(), SchemaError> {
    schema::LEDGER.require(&mut *writer.acquire().await?).await
}

/// That the ledger can't be used, and mail goes on.
pub(crate) fn tell(error: &(dyn std::error::Error + 'static)) {
    tracing::error!(
        event = "ledger.failing",
        error,
        "the ledger can't be read or written; mail goes on, and what is sent meanwhile is not in it"
    );
}
