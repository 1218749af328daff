//! The file of a large message: written in big pieces, off the threads that serve sessions.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use store::SpoolError;
use tokio::task::JoinHandle;

use crate::failure;

/// How many octets gather before they are written.
const PIECE: usize = 128 * 1024;

/// A file in the spool that is removed again unless it is [kept](SpoolFile::keep).
#[derive(Debug)]
pub(super) struct SpoolFile {
    path: PathBuf,
    /// Octets not written yet.
    piece: Vec<u8>,
    /// The piece before, being written while the next one gathers.
    writing: Option<JoinHandle<io::Result<Written>>>,
    file: Option<File>,
    kept: bool,
}

/// What comes back from a write: the file, and the room of the piece for the next one.
#[derive(Debug)]
struct Written {
    file: File,
    room: Vec<u8>,
}

impl SpoolFile {
    /// A file that begins with these octets. It is made with the first write.
    pub(super) fn new(path: PathBuf, octets: Vec<u8>) -> Self {
        Self { path, piece: octets, writing: None, file: None, kept: false }
    }

    pub(super) async fn append(&mut self, octets: &[u8]) -> Result<(), SpoolError> {
        self.piece.extend_from_slice(octets);
        if self.piece.len() < PIECE {
            return Ok(());
        }
        let room = self.written().await?;
        let piece = std::mem::replace(&mut self.piece, room);
        let (file, path) = (self.file.take(), self.path.clone());
        self.writing = Some(tokio::task::spawn_blocking(move || write(file, &path, piece)));
        Ok(())
    }

    /// Writes what is left and syncs the file and its name.
    pub(super) async fn sync(&mut self) -> Result<(), SpoolError> {
        self.written().await?;
        let piece = std::mem::take(&mut self.piece);
        let (file, path) = (self.file.take(), self.path.clone());
        let syncing = tokio::task::spawn_blocking(move || {
            let Written { file, .. } = write(file, &path, piece)?;
            file.sync_all()?;
            sync_parent(&path)
        });
        finished(syncing.await)
    }

    /// Says whether the file stays when this value goes.
    pub(super) fn keep(&mut self, kept: bool) {
        self.kept = kept;
    }

    /// Waits for the piece before. An error of it is an error of the file.
    async fn written(&mut self) -> Result<Vec<u8>, SpoolError> {
        let Some(writing) = self.writing.take() else { return Ok(Vec::new()) };
        let Written { file, room } = finished(writing.await)?;
        self.file = Some(file);
        Ok(room)
    }
}

impl Drop for SpoolFile {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        let (path, writing) = (std::mem::take(&mut self.path), self.writing.take());
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return remove_now(&path) };
        // After the write under way, which might make the file.
        runtime.spawn(async move {
            if let Some(writing) = writing {
                drop(writing.await);
            }
            remove(path).await;
        });
    }
}

/// Removes the file of a message, if there is one. One that stays is swept at the next start.
pub(super) async fn remove(path: PathBuf) {
    drop(tokio::task::spawn_blocking(move || remove_now(&path)).await);
}

/// Removes the file of a message, if there is one.
pub(super) fn remove_now(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), %error, "the file of a message could not be removed");
        }
        _ => {}
    }
}

fn write(file: Option<File>, path: &Path, mut piece: Vec<u8>) -> io::Result<Written> {
    let mut file = match file {
        Some(file) => file,
        // Never over a file that is there: an id is used once.
        None => OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?,
    };
    file.write_all(&piece)?;
    piece.clear();
    Ok(Written { file, room: piece })
}

/// A name is durable once its directory is synced.
fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

fn finished<T>(ended: Result<io::Result<T>, tokio::task::JoinError>) -> Result<T, SpoolError> {
    ended.map_err(io::Error::from).flatten().map_err(failure::of_file)
}
