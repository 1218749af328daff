//! What the queue is read by: its connections, for as long as its files are those that were opened.

use std::sync::Arc;

use sqlx::SqlitePool;
use store::SpoolError;

use crate::commit_mark;
use crate::connect;
use crate::directory::{Directory, Mode};
use crate::failure;
use crate::losses::Losses;
use crate::watch::FileWatch;

#[derive(Debug, Clone)]
pub(super) struct Database {
    directory: Arc<Directory>,
    watch: Arc<FileWatch>,
    readers: SqlitePool,
    /// Only of a server, which has it open for long.
    anchor: Option<SqlitePool>,
    losses: Losses,
}

impl Database {
    /// Opens the database, whose schema is there.
    pub(super) async fn open(directory: Arc<Directory>, mode: Mode) -> Result<Self, sqlx::Error> {
        let readers = connect::readers(connect::queue(&directory));
        let (watch, anchor) = match mode {
            Mode::Command => (FileWatch::nothing(), None),
            Mode::Server => {
                let anchor = connect::anchor(connect::queue(&directory)).await?;
                (FileWatch::of_queue(&directory), Some(anchor))
            }
        };
        let (watch, losses) = (Arc::new(watch).start(), Losses::of(&directory.queue()));
        Ok(Self { directory, watch, readers, anchor, losses })
    }

    /// Asks a reader.
    pub(super) async fn read<T>(
        &self,
        question: impl AsyncFnOnce(&SqlitePool) -> Result<T, sqlx::Error>,
    ) -> Result<T, SpoolError> {
        match question(&self.readers).await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(failure::of_queue(&self.directory, error).await),
        }
    }

    /// Connections that cannot write.
    pub(super) fn readers(&self) -> &SqlitePool {
        &self.readers
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Whether the files are those that were opened.
    pub(super) fn watch(&self) -> &Arc<FileWatch> {
        &self.watch
    }

    pub(super) fn losses(&self) -> &Losses {
        &self.losses
    }

    /// Closes the connections that read; the one that writes must be closed before.
    pub(super) async fn close(&self) {
        self.readers.close().await;
        if let Some(anchor) = &self.anchor {
            anchor.close().await;
        }
        commit_mark::forget_if_closed(&self.directory.queue());
    }
}
