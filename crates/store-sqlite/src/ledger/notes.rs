//! What is noted for the ledger, gathered in memory and written together a little later: no message waits for it, and a second of it has
//! one sync.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::Error;
use tokio::sync::Notify;

use super::database::{Database, tell};
use super::note::Note;
use crate::gather;

/// How many notes wait in memory at most, some seconds of the most mail that there can be: more come together only where the database
/// can't be written.
const AT_MOST: usize = 100_000;

#[derive(Debug)]
pub(super) struct Notes {
    pending: Mutex<Pending>,
    noted: Notify,
    /// Whether anything is noted.
    kept: AtomicBool,
}

#[derive(Debug, Default)]
struct Pending {
    notes: Vec<Note>,
    /// How many there was no room for.
    dropped: u64,
}

impl Notes {
    /// Notes that are written to this database until the last holder lets go of them.
    pub(super) fn start(database: Database) -> Arc<Self> {
        let (pending, noted) = (Mutex::default(), Notify::new());
        let notes = Arc::new(Self { pending, noted, kept: AtomicBool::new(true) });
        gather::start(&notes, |notes| &notes.noted, move |notes| notes.written(database.clone()));
        notes
    }

    pub(super) fn set_kept(&self, kept: bool) {
        self.kept.store(kept, Ordering::Relaxed);
    }

    pub(super) fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, note: Note) {
        if !self.is_kept() {
            return;
        }
        let mut pending = self.pending();
        let is_first = pending.notes.is_empty();
        pending.add(note);
        drop(pending);
        if is_first {
            self.noted.notify_one();
        }
    }

    async fn written(self: Arc<Self>, database: Database) {
        if let Err(error) = self.write(&database).await {
            tell(&error);
        }
    }

    /// Writes what is noted, in one transaction. A second later what could not be written is tried again, and what waits for its rows goes on.
    pub(super) async fn write(&self, database: &Database) -> Result<(), Error> {
        let Pending { notes, dropped } = std::mem::take(&mut *self.pending());
        if dropped > 0 {
            tracing::warn!(
                event = "ledger.behind",
                dropped,
                "the ledger could not be written as fast as mail came; it lacks some"
            );
        }
        let written = database.write(&notes).await;
        if written.is_err() {
            self.pending().put_back(notes);
        }
        if !matches!(written, Ok(false)) {
            self.noted.notify_one();
        }
        written.map(drop)
    }

    /// Whether nothing is noted.
    pub(super) fn is_empty(&self) -> bool {
        self.pending().notes.is_empty()
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn add(&mut self, note: Note) {
        if self.notes.len() < AT_MOST {
            self.notes.push(note);
        } else {
            self.dropped += 1;
        }
    }

    /// Puts notes before those that have come since.
    fn put_back(&mut self, notes: Vec<Note>) {
        let since = std::mem::replace(&mut self.notes, notes);
        since.into_iter().for_each(|note| self.add(note));
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use store::{Operated, Operation};
    use types::QueueId;

    use super::*;

    #[test]
    fn what_could_not_be_written_counts_among_the_most_that_wait() {
        let note = Note::Operated(Operated {
            operation: Operation::Hold,
            by: String::new(),
            at: Timestamp::UNIX_EPOCH,
            id: QueueId::from_bytes([0; 16]),
            account: String::new(),
            message_id: None,
        });
        let mut pending = Pending::default();
        pending.add(note.clone());
        pending.put_back(vec![note; AT_MOST]);
        assert_eq!((pending.notes.len(), pending.dropped), (AT_MOST, 1));
    }
}
