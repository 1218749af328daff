//! What is noted for the ledger, gathered in memory and written together a little later: no message waits for it, and a second of it has
//! one sync.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::Error;
use tokio::sync::Notify;
use types::Counter;

use super::database::{Database, tell};
use super::note::{Note, Piece};
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
    /// How many notes there was no room for so far.
    dropped: Counter,
}

#[derive(Debug, Default)]
struct Pending {
    pieces: Vec<Piece>,
    /// How many notes are in the pieces.
    notes: usize,
    /// How many there was no room for.
    dropped: usize,
}

impl Notes {
    /// Notes that are written to this database until the last holder lets go of them.
    pub(super) fn start(database: Database) -> Arc<Self> {
        let (pending, noted, dropped) = (Mutex::default(), Notify::new(), Counter::default());
        let notes = Arc::new(Self { pending, noted, kept: AtomicBool::new(true), dropped });
        gather::start(&notes, |notes| &notes.noted, move |notes| notes.written(database.clone()));
        notes
    }

    pub(super) fn set_kept(&self, kept: bool) {
        self.kept.store(kept, Ordering::Relaxed);
    }

    pub(super) fn is_kept(&self) -> bool {
        self.kept.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, note: &Note) {
        let mut pending = self.pending();
        let is_first = pending.pieces.is_empty();
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
        let Pending { pieces, notes: _, dropped } = std::mem::take(&mut *self.pending());
        if dropped > 0 {
            self.dropped.add(u64::try_from(dropped).unwrap_or(u64::MAX));
            tracing::warn!(
                event = "ledger.behind",
                dropped,
                "the ledger could not be written as fast as mail came; it lacks some"
            );
        }
        let written = database.write(&pieces).await;
        if written.is_err() {
            self.pending().put_back(pieces);
        }
        if !matches!(written, Ok(false)) {
            self.noted.notify_one();
        }
        written.map(drop)
    }

    /// How many notes there was no room for since the ledger was opened.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped.total()
    }

    /// Whether nothing is noted.
    pub(super) fn is_empty(&self) -> bool {
        self.pending().pieces.is_empty()
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    fn add(&mut self, note: &Note) {
        if self.notes >= AT_MOST {
            self.dropped += 1;
            return;
        }
        match self.pieces.last_mut().filter(|piece| piece.has_room()) {
            Some(piece) => piece.add(note),
            None => self.pieces.push(note.into()),
        }
        self.notes += 1;
    }

    /// Puts notes before those that have come since.
    fn put_back(&mut self, pieces: Vec<Piece>) {
        let since = std::mem::replace(&mut self.pieces, pieces);
        self.notes = self.pieces.iter().map(|piece| piece.notes()).sum();
        for piece in since {
            if self.notes < AT_MOST {
                self.notes += piece.notes();
                self.pieces.push(piece);
            } else {
                self.dropped += piece.notes();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use store::{Operated, Operation};
    use types::QueueId;

    use super::*;

    fn note() -> Note {
        Note::operated(&Operated {
            operation: Operation::Hold,
            by: "frank".repeat(100),
            at: Timestamp::UNIX_EPOCH,
            id: QueueId::from_bytes([0; 16]),
            account: String::new(),
            message_id: None,
        })
    }

    #[test]
    fn what_could_not_be_written_counts_among_the_most_that_wait() {
        let (mut before, mut pending) = (Pending::default(), Pending::default());
        (0..AT_MOST).for_each(|_| before.add(&note()));
        pending.add(&note());
        pending.put_back(before.pieces);
        assert_eq!((pending.notes, pending.dropped), (AT_MOST, 1));
        pending.add(&note());
        assert_eq!((pending.notes, pending.dropped), (AT_MOST, 2));
        let largest = pending.pieces.iter().map(|piece| piece.packed().len()).max();
        assert!(largest.is_some_and(|octets| octets < 50 * 1024), "{largest:?}");
    }
}
