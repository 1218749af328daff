//! What is noted for the ledger, gathered in memory and written together a little later: no message waits for it, and a second of it has
//! one sync.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use store::Error;
use tokio::sync::Notify;

use super::database::{Database, tell};
use super::note::Note;

/// How long notes gather.
const GATHER: Duration = Duration::from_secs(1);

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
        let held = Arc::downgrade(&notes);
        tokio::spawn(async move {
            let mut waits = false;
            while let Some(notes) = held.upgrade() {
                // Wakes up now and then to see whether anybody still holds the notes.
                let wait = if waits { GATHER } else { GATHER * 60 };
                let noted = tokio::time::timeout(wait, notes.noted.notified()).await;
                drop(notes);
                if noted.is_ok() {
                    tokio::time::sleep(GATHER).await;
                }
                let Some(notes) = held.upgrade() else { break };
                if noted.is_ok() || waits {
                    waits = notes.write(&database).await.inspect_err(|error| tell(error)).unwrap_or(false);
                }
            }
        });
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
        if pending.notes.len() < AT_MOST {
            pending.notes.push(note);
        } else {
            pending.dropped += 1;
        }
        drop(pending);
        if is_first {
            self.noted.notify_one();
        }
    }

    /// Writes what is noted, in one transaction; whether some of it waits for its rows. What could not be written is tried again.
    pub(super) async fn write(&self, database: &Database) -> Result<bool, Error> {
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
            let mut pending = self.pending();
            let since = std::mem::replace(&mut pending.notes, notes);
            pending.notes.extend(since);
            drop(pending);
            self.noted.notify_one();
        }
        written
    }

    /// Whether nothing is noted.
    pub(super) fn is_empty(&self) -> bool {
        self.pending().notes.is_empty()
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
