//! Whether the accounts have changed, by whatever process, without asking SQLite.
//!
//! Every commit writes a new header into the wal-index, the file `-shm` that all processes share through the page
//! cache (<https://www.sqlite.org/walformat.html>, "WAL-Index Header"). To read that is a system call of less than a
//! microsecond; any query, even `PRAGMA data_version`, is a trip to another thread and back.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use store::Revision;

/// Where the checksum of the header begins. It covers a counter of commits and the checksum of the last frame.
const CHECKSUM: u64 = 40;

/// A look at the wal-index.
#[derive(Debug, Clone)]
pub(super) struct WalIndex {
    /// Never closed: SQLite has POSIX locks on the same file, and a process loses those when it closes any descriptor
    /// of it.
    file: Option<Arc<ManuallyDrop<File>>>,
}

impl WalIndex {
    /// Opens the wal-index of a database that has a connection.
    pub(super) fn open(path: &Path) -> Self {
        Self { file: File::open(path).ok().map(|file| Arc::new(ManuallyDrop::new(file))) }
    }

    /// The revision of the last commit. One under way may tear what is read here; then it is neither the old nor the
    /// new one, and nobody will see it again.
    pub(super) fn revision(&self) -> Option<Revision> {
        let file = self.file.as_ref()?;
        let mut checksum = [0; 8];
        file.read_exact_at(&mut checksum, CHECKSUM).ok()?;
        // Without any connection SQLite removes it, and begins another with the next.
        let removed = file.metadata().map_or(true, |metadata| metadata.nlink() == 0);
        (!removed).then_some(Revision(u64::from_ne_bytes(checksum)))
    }
}
