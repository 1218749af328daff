//! One store is opened once in a process.
//!
//! A second opening would have descriptors of its own on the same files, and whichever of them is closed first ends the
//! POSIX locks of both (<https://www.sqlite.org/howtocorrupt.html>, section 2.2): another process could then remove the
//! WAL under the one that goes on. A clone of the first is what is wanted instead.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The directories of the stores that are open in this process: device and number.
static OPEN: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());

/// The right to open a store, until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenOnce((u64, u64));

impl OpenOnce {
    /// The right to open the store in this directory, however it is written; `None` while it is open already.
    pub(crate) fn claim(root: &Path) -> io::Result<Option<Self>> {
        let found = std::fs::metadata(root)?;
        let directory = (found.dev(), found.ino());
        let is_first = open().insert(directory);
        Ok(is_first.then(|| Self(directory)))
    }
}

impl Drop for OpenOnce {
    fn drop(&mut self) {
        open().remove(&self.0);
    }
}

fn open() -> MutexGuard<'static, BTreeSet<(u64, u64)>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_claimed_once_however_it_is_written() {
        let directory = tempfile::tempdir().unwrap();
        let claimed = OpenOnce::claim(directory.path()).unwrap();
        assert!(claimed.is_some());
        assert!(OpenOnce::claim(&directory.path().join(".")).unwrap().is_none());
        drop(claimed);
        assert!(OpenOnce::claim(directory.path()).unwrap().is_some());
        assert!(OpenOnce::claim(&directory.path().join("nothing")).is_err());
    }
}
