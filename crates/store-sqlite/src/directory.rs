//! The directory of a store: what it is made of, who may read it, and which server owns it.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use types::QueueId;

/// How long commands may look for a server: so many times so long, far more than they take.
const LOOKS: u32 = 1000;
const LOOK: Duration = Duration::from_millis(1);

/// Who opens a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The server: alone in its kind, it owns the leases and clears away what a crash has left.
    Server,
    /// A command, beside the server or without one.
    Command,
}

/// The paths of a store.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    root: PathBuf,
}

impl Directory {
    /// The paths of the store in the directory `root`.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes what is missing of the directory: itself and `spool/` with mode 0700, the databases with 0600.
    pub(crate) fn prepare(root: &Path) -> io::Result<Self> {
        let directory = Self::at(root);
        make_directory(&directory.root, 0o700)?;
        make_directory(&directory.spool(), 0o700)?;
        make_file(&directory.accounts())?;
        make_file(&directory.queue())?;
        make_file(&directory.ledger())?;
        Ok(directory)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn accounts(&self) -> PathBuf {
        self.root.join("accounts.db")
    }

    /// What SQLite calls the wal-index of the accounts.
    pub(crate) fn accounts_wal_index(&self) -> PathBuf {
        self.root.join("accounts.db-shm")
    }

    pub(crate) fn queue(&self) -> PathBuf {
        self.root.join("queue.db")
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.root.join("ledger.db")
    }

    pub(crate) fn queue_wal(&self) -> PathBuf {
        self.root.join("queue.db-wal")
    }

    /// The file whose lock makes a process the server.
    pub(crate) fn server_lock(&self) -> PathBuf {
        self.root.join("server.lock")
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.root.join("spool")
    }

    /// The file of a message that is too large for its row.
    pub(crate) fn message(&self, id: QueueId) -> PathBuf {
        self.root.join("spool").join(id.to_string())
    }

    /// Keeps others from migrating while the file returned is open. Waits for them.
    pub(crate) fn lock_migrations(&self) -> io::Result<File> {
        let file = private_file().open(self.root.join("migrate.lock"))?;
        file.lock()?;
        Ok(file)
    }

    /// Makes this process the server of the store. The directory is locked as well: `server.lock` can be deleted.
    pub(crate) fn lock_server(&self) -> Result<ServerLock, NotOurs> {
        let directory = File::open(&self.root)?;
        let mut file = private_file().open(self.server_lock())?;
        // Not every file system locks directories.
        let is_held = matches!(lock(&directory), Err(TryLockError::WouldBlock));
        match lock(&file) {
            Ok(()) if !is_held => {}
            Ok(()) | Err(TryLockError::WouldBlock) => return Err(NotOurs::Held(holder(&mut file))),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        writeln!(file, "{}", std::process::id())?;
        Ok(ServerLock { _file: file, _directory: directory })
    }
}

impl Directory {
    /// Whether a server has the store.
    pub(crate) fn is_served(&self) -> bool {
        is_locked(&self.root) || is_locked(&self.server_lock())
    }
}

/// Locks a file for this process alone. Commands that [look](is_locked) for a server have it for an instant, and are waited for.
fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..LOOKS {
        match file.try_lock() {
            // What can be shared is no server's.
            Err(TryLockError::WouldBlock) if file.try_lock_shared().is_ok() => {
                file.unlock().map_err(TryLockError::Error)?;
                std::thread::sleep(LOOK);
            }
            locked => return locked,
        }
    }
    file.try_lock()
}

/// Whether somebody has locked the file. What can't be found out about a directory, the file in it tells: not every file system locks
/// directories.
fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The right to be the server, until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct ServerLock {
    _file: File,
    _directory: File,
}

/// Why this process cannot have the store, or be its server.
#[derive(Debug)]
pub(crate) enum NotOurs {
    /// It has it open already.
    OpenAlready,
    /// Another process is, with this id if it could be read.
    Held(String),
    Io(io::Error),
}

impl From<io::Error> for NotOurs {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn holder(file: &mut File) -> String {
    let mut pid = String::new();
    let read = file.rewind().and_then(|()| file.take(20).read_to_string(&mut pid));
    match (read, pid.trim()) {
        (Ok(_), pid) if !pid.is_empty() => format!("process {pid}"),
        _ => "another process".to_owned(),
    }
}

/// Makes a directory unless there is one, and those above it. Its name survives the plug.
fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && parent(path) != path => {
            make_directory(parent(path), 0o777)?;
            DirBuilder::new().mode(mode).create(path)?;
        }
        made => made?,
    }
    sync_names(path)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

/// A name is durable once the directory is synced that has it.
fn sync_names(path: &Path) -> io::Result<()> {
    File::open(parent(path))?.sync_all()
}

/// Makes an empty file unless there is one, which is not even opened: to close a descriptor of a database that this
/// process has open would end the locks that SQLite has on it.
fn make_file(path: &Path) -> io::Result<()> {
    match private_file().create_new(true).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop).and_then(|()| sync_names(path)),
    }
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_server_waits_for_commands_that_look_for_one() {
        let store = tempfile::tempdir().unwrap();
        let directory = Directory::prepare(store.path()).unwrap();
        private_file().open(directory.server_lock()).unwrap();
        let (looking, looks) = channel();
        let command = std::thread::spawn({
            let directory = directory.clone();
            move || {
                let files =
                    [directory.root.clone(), directory.server_lock()].map(|path| File::open(path).unwrap());
                files.iter().for_each(|file| file.try_lock_shared().unwrap());
                looking.send(()).unwrap();
                // As if it was put off by the system while it looks.
                std::thread::sleep(20 * LOOK);
            }
        });
        looks.recv().unwrap();
        let server = directory.lock_server().unwrap();
        command.join().unwrap();
        assert!(directory.is_served());
        assert!(matches!(directory.lock_server(), Err(NotOurs::Held(_))), "another server is not waited for");
        drop(server);
        assert!(!directory.is_served());
    }
}
