//! How a store is while it is open: whether it can be written, how large it is, and how much room is left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use store::SpoolError;

use crate::directory::Directory;
use crate::store::SqliteStore;

/// Messages up to this size are expected to fit where a store is said to take mail.
const USUAL: u64 = 1024 * 1024;

/// The file system that a store lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Octets that this process may still write.
    pub free: u64,
    /// Octets that there are in all.
    pub total: u64,
}

impl SqliteStore {
    /// Commits to the accounts and to the queue what changes nothing, each with its sync: what says that logins can be noted and mail can be
    /// taken.
    ///
    /// # Errors
    /// [`SpoolError::Full`] when there is hardly room for a message; otherwise why it can't be written.
    pub async fn try_to_write(&self) -> Result<(), SpoolError> {
        self.accounts().try_to_write().await.map_err(|error| SpoolError::Failing(Box::new(error)))?;
        self.spool().try_to_write(USUAL).await
    }

    /// How large each database is with its WAL, in octets, by the name of its file.
    ///
    /// # Errors
    /// When a file can't be looked at.
    pub fn sizes(&self) -> io::Result<Vec<(String, u64)>> {
        let directory = self.spool().directory();
        [directory.accounts(), directory.queue(), directory.ledger()].iter().map(|path| sized(path)).collect()
    }

    /// How much room its file system has.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn disk_space(&self) -> io::Result<DiskSpace> {
        space_of(self.spool().directory())
    }
}

fn space_of(directory: &Directory) -> io::Result<DiskSpace> {
    let system = rustix::fs::statvfs(directory.root())?;
    let octets = |blocks: u64| blocks.saturating_mul(system.f_frsize);
    Ok(DiskSpace { free: octets(system.f_bavail), total: octets(system.f_blocks) })
}

fn sized(database: &Path) -> io::Result<(String, u64)> {
    let name = database.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let wal: PathBuf = database.with_file_name(format!("{name}-wal"));
    // There is no WAL between the last connection and the next.
    let wal = fs::metadata(wal).map_or(0, |wal| wal.len());
    Ok((name, fs::metadata(database)?.len() + wal))
}
