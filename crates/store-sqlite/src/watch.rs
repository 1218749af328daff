//! Whether the files of a store are still those that were opened.
//!
//! Somebody may remove or replace a database while the server has it open. SQLite goes on writing to the old file, which
//! nobody will ever find again: so whoever confirms something looks first. A look is a `stat` for each file, about a
//! microsecond.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, Stat};

use crate::directory::Directory;

/// How often the files are looked at while nobody asks.
const EVERY: Duration = Duration::from_millis(500);

/// The files of one database, and what else has to be in place for it.
#[derive(Debug)]
pub(crate) struct FileWatch {
    files: Vec<WatchedFile>,
    /// Those that have the mail.
    mail: Vec<WatchedFile>,
    /// What is refused while a file is gone, for the log.
    refused: &'static str,
    gone: AtomicBool,
    ended: AtomicBool,
}

/// A file that is no longer the one that was opened.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "{} was removed or replaced while it was in use; put it back, or restart the server to go on with what is there now",
    .0.display()
)]
pub(crate) struct FileGone(PathBuf);

impl FileWatch {
    /// The accounts. A connection has to be open, and to stay so: the last one removes the WAL.
    pub(crate) fn of_accounts(directory: &Directory) -> Self {
        Self::of(database(&directory.accounts()), Vec::new(), "logins are refused (454)")
    }

    /// The queue with the messages in files, and the lock that makes this process the server. As
    /// [`of_accounts`](Self::of_accounts).
    pub(crate) fn of_queue(directory: &Directory) -> Self {
        let [queue, wal, shm] = database(&directory.queue());
        let mail = vec![queue, wal, directory.spool()];
        Self::of(
            [shm, directory.server_lock()],
            mail,
            "new mail is refused (451), and what is queued goes on from the open files",
        )
    }

    /// Nothing, for commands: they are over before anybody could notice.
    pub(crate) fn nothing() -> Self {
        Self::of([], Vec::new(), "")
    }

    fn of(files: impl IntoIterator<Item = PathBuf>, mail: Vec<PathBuf>, refused: &'static str) -> Self {
        let files = files.into_iter().filter_map(WatchedFile::open).collect();
        let mail = mail.into_iter().filter_map(WatchedFile::open).collect();
        Self { files, mail, refused, gone: AtomicBool::new(false), ended: AtomicBool::new(false) }
    }

    /// Looks again and again in the background, until nobody holds the watch any more.
    pub(crate) fn start(self: Arc<Self>) -> Arc<Self> {
        let held = Arc::downgrade(&self);
        tokio::spawn(look_again_and_again(held));
        self
    }

    /// Looks at every file, and tells the log when something has changed.
    pub(crate) fn look(&self) -> Result<(), FileGone> {
        self.report(in_place(&self.mail).and_then(|()| in_place(&self.files)))
    }

    /// Looks at the files that have the mail, before what was written to them is confirmed.
    pub(crate) fn confirm(&self) -> Result<(), FileGone> {
        match in_place(&self.mail) {
            Ok(()) => Ok(()),
            gone => self.report(gone),
        }
    }

    fn report(&self, found: Result<(), FileGone>) -> Result<(), FileGone> {
        // What goes away because the store is being closed is not gone.
        if self.ended.load(Ordering::Acquire) {
            return Ok(());
        }
        let before = self.gone.swap(found.is_err(), Ordering::AcqRel);
        if before != found.is_err() {
            self.tell(&found);
        }
        found
    }

    /// What the last look found, which was half a second ago at most.
    pub(crate) fn seen(&self) -> Result<(), FileGone> {
        if self.gone.load(Ordering::Acquire) { self.look() } else { Ok(()) }
    }

    /// From here on files may go: the store is being closed.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    fn tell(&self, found: &Result<(), FileGone>) {
        match found {
            Err(gone) => tracing::error!(
                event = "store.file-gone",
                file = %gone.0.display(),
                open = format!("/proc/{}/fd", std::process::id()),
                "a file of the store was removed or replaced: {} until it is back or the server is restarted; \
                 what it held can still be copied from the process's descriptors",
                self.refused
            ),
            Ok(()) => tracing::warn!(event = "store.file-back", "the files of the store are in place again"),
        }
    }
}

async fn look_again_and_again(watch: Weak<FileWatch>) {
    loop {
        tokio::time::sleep(EVERY).await;
        match watch.upgrade() {
            Some(watch) => drop(watch.look()),
            None => return,
        }
    }
}

/// A database and what SQLite keeps beside it, which is beside the file itself if the path is a link.
fn database(path: &Path) -> [PathBuf; 3] {
    let itself = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let beside = |suffix| PathBuf::from([itself.as_os_str(), suffix].into_iter().collect::<OsString>());
    [path.to_owned(), beside("-wal".as_ref()), beside("-shm".as_ref())]
}

fn in_place(files: &[WatchedFile]) -> Result<(), FileGone> {
    match files.iter().find(|file| !file.is_in_place()) {
        Some(file) => Err(FileGone(file.path.clone())),
        None => Ok(()),
    }
}

/// A path, and the file that was there.
#[derive(Debug)]
struct WatchedFile {
    path: PathBuf,
    identity: Identity,
    /// Keeps the number of the file from being given to another one. `O_PATH`: to close an ordinary descriptor of a
    /// database would end the locks that SQLite has on it (<https://www.sqlite.org/howtocorrupt.html>, section 2.2).
    handle: OwnedFd,
}

/// A file whatever its name: its device and its number there.
type Identity = (u64, u64);

impl WatchedFile {
    fn open(path: PathBuf) -> Option<Self> {
        let handle = rustix::fs::open(&path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let identity = identity(&rustix::fs::fstat(&handle).ok()?);
        Some(Self { path, identity, handle })
    }

    fn is_in_place(&self) -> bool {
        let Ok(found) = rustix::fs::stat(&self.path) else { return false };
        let found = identity(&found);
        // A file system in layers may number a file anew when it is first written to.
        found == self.identity || rustix::fs::fstat(&self.handle).is_ok_and(|held| identity(&held) == found)
    }
}

fn identity(stat: &Stat) -> Identity {
    (stat.st_dev, stat.st_ino)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn watched(files: &[&Path]) -> FileWatch {
        FileWatch::of(files.iter().map(PathBuf::from), Vec::new(), "nothing")
    }

    #[test]
    fn a_file_that_is_removed_replaced_or_moved_is_gone_until_it_is_back() {
        let directory = tempfile::tempdir().unwrap();
        let [file, aside] = ["file", "aside"].map(|name| directory.path().join(name));
        fs::write(&file, "one").unwrap();
        let watch = watched(&[&file]);
        watch.look().unwrap();
        fs::write(&file, "other octets").unwrap();
        watch.look().unwrap();
        fs::rename(&file, &aside).unwrap();
        assert!(watch.seen().is_ok(), "nobody has looked yet");
        assert!(watch.look().is_err());
        fs::write(&file, "another file").unwrap();
        assert!(watch.look().unwrap_err().to_string().starts_with(&file.display().to_string()));
        assert!(watch.seen().is_err());
        fs::rename(&aside, &file).unwrap();
        watch.seen().unwrap();
        fs::remove_file(&file).unwrap();
        assert!(watch.look().is_err());
    }

    #[test]
    fn a_directory_that_is_made_anew_is_another_one() {
        let directory = tempfile::tempdir().unwrap();
        let spool = directory.path().join("spool");
        fs::create_dir(&spool).unwrap();
        let watch = watched(&[&spool]);
        fs::write(spool.join("message"), "text").unwrap();
        watch.look().unwrap();
        fs::remove_dir_all(&spool).unwrap();
        fs::create_dir(&spool).unwrap();
        assert!(watch.look().is_err());
    }

    #[test]
    fn what_goes_at_the_end_is_not_gone() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        fs::write(&file, "one").unwrap();
        let watch = watched(&[&file]);
        watch.end();
        fs::remove_file(&file).unwrap();
        watch.look().unwrap();
    }
}
