//! What an error of SQLite or of the file system means to whom.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use sqlx::error::ErrorKind;
use sqlx::migrate::MigrateError;
use store::{Error, SpoolError};

use crate::directory::Directory;
use crate::watch::FileGone;

/// An error of the accounts database.
pub(crate) fn unavailable(error: sqlx::Error) -> Error {
    Error::Unavailable(told(error))
}

/// An error while a database was opened.
pub(crate) fn of_opening(error: MigrateError) -> Box<dyn std::error::Error + Send + Sync> {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => told(error),
        error => Box::new(error),
    }
}

/// The error as people need to read it: a full disk is theirs to fix.
pub(crate) fn told(error: sqlx::Error) -> Box<dyn std::error::Error + Send + Sync> {
    match is_out_of_space(&error) {
        true => Box::new(NoSpace),
        false => Box::new(error),
    }
}

/// Where the WAL has no index yet, it can't even be read.
fn is_out_of_space(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(SQLITE_FULL) || code(error) == Some(SQLITE_IOERR_SHMSIZE)
}

#[derive(Debug, thiserror::Error)]
#[error("no space is left on its file system; make room there")]
struct NoSpace;

/// An error of a file in the spool.
pub(crate) fn of_file(error: io::Error) -> SpoolError {
    if is_full(&error) { SpoolError::Full } else { SpoolError::Failing(Box::new(error)) }
}

/// A file of the spool is not the one that was opened.
pub(crate) fn of_watch(gone: FileGone) -> SpoolError {
    SpoolError::Failing(Box::new(gone))
}

/// An error of the queue database. May write to the disk to find out.
pub(crate) async fn of_queue(directory: &Directory, error: sqlx::Error) -> SpoolError {
    match primary_code(&error) {
        Some(SQLITE_FULL) => SpoolError::Full,
        Some(SQLITE_IOERR | SQLITE_CANTOPEN) if probe(directory.clone()).await => SpoolError::Full,
        _ => SpoolError::Failing(Box::new(error)),
    }
}

/// The same failure for each member of a group.
pub(crate) fn share(failure: SpoolError) -> impl Fn() -> SpoolError {
    let source = match failure {
        SpoolError::Full => None,
        SpoolError::Failing(source) => Some(Arc::<dyn std::error::Error + Send + Sync>::from(source)),
        SpoolError::Corrupt(_) | SpoolError::Duplicate(_) => {
            Some(Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(failure)))
        }
    };
    move || source.clone().map_or(SpoolError::Full, |source| SpoolError::Failing(Box::new(Shared(source))))
}

/// Whether a row broke a rule of the schema: the fault of one member of a group, not of the storage.
pub(crate) fn is_constraint(error: &sqlx::Error) -> bool {
    primary_code(error) == Some(SQLITE_CONSTRAINT)
}

/// Whether a value is taken that must be unique.
pub(crate) fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.kind() == ErrorKind::UniqueViolation)
}

const SQLITE_IOERR: u32 = 10;
const SQLITE_FULL: u32 = 13;
const SQLITE_CANTOPEN: u32 = 14;
const SQLITE_CONSTRAINT: u32 = 19;
const SQLITE_IOERR_SHMSIZE: u32 = SQLITE_IOERR | 19 << 8;

/// The low octet of an extended result code is its family (<https://sqlite.org/rescode.html>).
fn primary_code(error: &sqlx::Error) -> Option<u32> {
    Some(code(error)? & 0xff)
}

fn code(error: &sqlx::Error) -> Option<u32> {
    error.as_database_error()?.code()?.parse().ok()
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// SQLite tells a full disk (ENOSPC) apart, but calls a quota (EDQUOT) and a limit on file sizes (EFBIG) an I/O error.
/// So a page is written where the WAL would go on, to see what the system says.
async fn probe(directory: Directory) -> bool {
    let probing = tokio::task::spawn_blocking(move || probe_now(&directory));
    matches!(probing.await, Ok(Err(error)) if is_full(&error))
}

fn probe_now(directory: &Directory) -> io::Result<()> {
    let path = directory.root().join("probe");
    let end_of_wal = fs::metadata(directory.queue_wal()).map_or(0, |wal| wal.len());
    let written = OpenOptions::new().create(true).write(true).truncate(true).open(&path).and_then(|file| {
        file.write_all_at(&[0; 4096], end_of_wal)?;
        file.sync_data()
    });
    let removed = fs::remove_file(&path);
    written.and(removed)
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Shared(Arc<dyn std::error::Error + Send + Sync>);
