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
    /// Whether this value made the file. One that was there before is somebody else's.
    made: bool,
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
        Self { path, piece: octets, writing: None, file: None, made: false, kept: false }
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
        self.writing = Some(tokio::task::spawn_blocking(move || {
            let written = write(file, &path, piece)?;
            sync(&written.file, &path).inspect_err(|_| remove_now(&path))?;
            Ok(written)
        }));
        self.written().await.map(drop)
    }

    /// Says whether the file stays when this value goes.
    pub(super) fn keep(&mut self, kept: bool) {
        self.kept = kept;
    }

    /// Waits for the piece before. An error of it is an error of the file, which is gone then.
    async fn written(&mut self) -> Result<Vec<u8>, SpoolError> {
        let Some(writing) = &mut self.writing else { return Ok(Vec::new()) };
        let written = writing.await.map_err(io::Error::from).flatten();
        (self.writing, self.made) = (None, written.is_ok());
        let Written { file, room } = written.map_err(failure::of_file)?;
        self.file = Some(file);
        Ok(room)
    }
}

impl Drop for SpoolFile {
    fn drop(&mut self) {
        let (path, writing) = (std::mem::take(&mut self.path), self.writing.take());
        if self.kept || !(self.made || writing.is_some()) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return remove_now(&path) };
        runtime.spawn(async move {
            // After the write under way, which may make the file, or find that it is somebody else's.
            let made = match writing {
                Some(writing) => matches!(writing.await, Ok(Ok(_))),
                None => true,
            };
            if made {
                remove(path).await;
            }
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
            tracing::warn!(event = "spool.litter", path = %path.display(), %error, "the file of a message could not be removed");
        }
        _ => {}
    }
}

/// Writes a piece; the first one makes the file. After an error there is no file.
fn write(file: Option<File>, path: &Path, mut piece: Vec<u8>) -> io::Result<Written> {
    let mut file = match file {
        Some(file) => file,
        // Never over a file that is there: an id is used once.
        None => OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?,
    };
    file.write_all(&piece).inspect_err(|_| remove_now(path))?;
    piece.clear();
    Ok(Written { file, room: piece })
}

/// A file is durable once it is synced, and its name once its directory is.
fn sync(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}
