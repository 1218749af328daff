//! The key file as a file: who may read it, and how a change of it survives a crash.

use std::ffi::OsString;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::keys::secret_text::read_secret_text;

/// The most octets that are read: far more than a key file has, so that a wrong path (a device, a mailbox) can't fill the memory.
const OCTETS: usize = 64 * 1024;

/// The mode of a new key file: only its owner may read and write it.
const MODE: u32 = 0o600;

/// Why a key file was not read or written; says what to do about it.
#[derive(Debug, Error)]
pub enum KeyFileError {
    #[error("there is no master key {file}: put your copy of it there, or for a new store make one with `gatepost key generate {file}`", file = .0.display())]
    Missing(PathBuf),
    #[error("cannot read the master key {}, which has to belong to the user of the server", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    #[error("the master key {} is a symbolic link: name the file that it leads to", .0.display())]
    SymbolicLink(PathBuf),
    #[error("the master key {} is not a file", .0.display())]
    NoFile(PathBuf),
    #[error("others may read the master key {} (mode {:03o}): `chmod 600` it", .0.display(), .1)]
    Exposed(PathBuf, u32),
    #[error("the master key {file} is empty: put your copy of it there, or `rm {file}` and make one with `gatepost key generate {file}`", file = .0.display())]
    Empty(PathBuf),
    #[error("{}, line {}: expected a number and 32 octets in base64", .0.display(), .1)]
    Malformed(PathBuf, usize),
    #[error("{}, line {}: there is a key {} above already", .0.display(), .1, .2)]
    Repeated(PathBuf, usize, u32),
    #[error("{} exists already, and a master key is never overwritten; name another file", .0.display())]
    Exists(PathBuf),
    #[error("{} has a key with the greatest number there is", .0.display())]
    NumbersUsedUp(PathBuf),
    #[error("another command is changing the master key {} right now; try again when it has ended", .0.display())]
    Locked(PathBuf),
    #[error("cannot see to it that the master key {} survives a power cut", .0.display())]
    Unsynced(PathBuf, #[source] io::Error),
    #[error("cannot write the master key {}", .0.display())]
    Unwritable(PathBuf, #[source] io::Error),
    #[error(
        "cannot add a key to {file}, since a file beside it cannot be written ({cause}): fix that, or as a user who may write there, add the \
         line by `echo \"{id} $(head -c 32 /dev/urandom | base64)\" >> {file}`: \
         that is what `gatepost key add` does, and `gatepost key rotate` goes on with it when it is run again",
        file = .file.display()
    )]
    // The cause is not the source: who may not write there need not be somebody else.
    NotReplaced { file: PathBuf, id: u32, cause: io::Error },
}

/// Reads a file that nobody but its owner may read.
///
/// The file must not be a symbolic link, whose mode says nothing about who can point it to another file. systemd's credentials are files; in a
/// Kubernetes secret, whose names are links, `…/..data/NAME` is the file.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<String>, KeyFileError> {
    read_secret_text(open(path)?.0, OCTETS).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => KeyFileError::Malformed(path.to_owned(), 1),
        _ => KeyFileError::Unreadable(path.to_owned(), error),
    })
}

/// Sees to it that the file is on stable storage with its name. A line that was added by other means than ours need not be.
pub(crate) fn sync(path: &Path) -> Result<(), KeyFileError> {
    let (file, _) = open(path)?;
    let synced = file.sync_all().and_then(|()| match sync_directory_of(path) {
        // The server need not have the right to list the directory. The file leads to all that is to be written.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(rustix::fs::syncfs(&file)?),
        synced => synced,
    });
    match synced {
        // A file system that does not sync promises nothing to anybody.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        synced => synced.map_err(|error| KeyFileError::Unsynced(path.to_owned(), error)),
    }
}

/// Opens the file and checks its type and mode. The open file is checked, because the path may lead to another file by then.
fn open(path: &Path) -> Result<(File, Metadata), KeyFileError> {
    let unreadable = |error| KeyFileError::Unreadable(path.to_owned(), error);
    // Without NONBLOCK, opening a named pipe would wait for somebody to write into it.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(|error| {
        match (error.kind(), Errno::from_io_error(&error)) {
            (io::ErrorKind::NotFound, _) => KeyFileError::Missing(path.to_owned()),
            (_, Some(Errno::LOOP)) => KeyFileError::SymbolicLink(path.to_owned()),
            _ => unreadable(error),
        }
    })?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(KeyFileError::NoFile(path.to_owned()));
    }
    let forbidden = forbidden(path, std::env::var_os("CREDENTIALS_DIRECTORY"));
    match metadata.permissions().mode() & 0o777 {
        mode if mode & forbidden == 0 => Ok((file, metadata)),
        mode => Err(KeyFileError::Exposed(path.to_owned(), mode)),
    }
}

/// The mode bits that must not be set. systemd lets the server's user read a credential (`LoadCredential=`) by an access control list, which
/// the mode shows as rights of the group.
fn forbidden(path: &Path, credentials: Option<OsString>) -> u32 {
    let is_credential = || {
        let credentials = std::fs::canonicalize(credentials?).ok()?;
        Some(directory_of(path).canonicalize().ok()?.starts_with(credentials))
    };
    if is_credential() == Some(true) { 0o037 } else { 0o077 }
}

/// Writes a new file, which is on stable storage when this returns. If writing fails, the file is removed.
pub(crate) fn make(path: &Path, text: &str) -> Result<(), KeyFileError> {
    write_new(path, text, |_| Ok(())).and_then(|()| sync_directory_of(path)).map_err(|error| {
        match error.kind() {
            io::ErrorKind::AlreadyExists => KeyFileError::Exists(path.to_owned()),
            _ => KeyFileError::Unwritable(path.to_owned(), error),
        }
    })
}

/// The right to change the key file, which one process has at a time: of two that add a key at once, one would overwrite the other's key.
/// The lock is on the directory, because the file itself is replaced.
#[derive(Debug)]
pub struct KeyFileLock {
    _directory: File,
    file: PathBuf,
}

impl KeyFileLock {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`KeyFileError::Locked`] if another command holds it; or when the directory can't be read.
    pub fn take(file: &Path) -> Result<Self, KeyFileError> {
        let unreadable = |error| KeyFileError::Unreadable(file.to_owned(), error);
        let directory = File::open(directory_of(file)).map_err(unreadable)?;
        match directory.try_lock() {
            Ok(()) => Ok(Self { _directory: directory, file: file.to_owned() }),
            Err(TryLockError::WouldBlock) => Err(KeyFileError::Locked(file.to_owned())),
            Err(TryLockError::Error(error)) => Err(unreadable(error)),
        }
    }

    /// The key file that may be changed.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }
}

/// Replaces the key file by `text`, which has a new key `id`. At any moment the path is the old file or the whole new one, with the same owner.
pub(crate) fn replace(lock: &KeyFileLock, text: &str, id: u32) -> Result<(), KeyFileError> {
    let path = lock.file();
    let (_, old) = open(path)?;
    let draft = draft_of(path);
    // A draft that is there was left by a crash: only the holder of the lock writes one.
    let _ = std::fs::remove_file(&draft);
    write_new(&draft, text, |file| same_owner(file, &old))
        .and_then(|()| std::fs::rename(&draft, path).inspect_err(|_| drop(std::fs::remove_file(&draft))))
        .and_then(|()| sync_directory_of(path))
        .map_err(|cause| KeyFileError::NotReplaced { file: path.to_owned(), id, cause })
}

/// The path of the draft: in the same directory, so that it can be renamed.
fn draft_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".new");
    path.with_file_name(name)
}

/// Gives the draft the owner of the file: root may change a key file that belongs to the server's user.
fn same_owner(file: &File, old: &Metadata) -> io::Result<()> {
    let made = file.metadata()?;
    match (made.uid(), made.gid()) == (old.uid(), old.gid()) {
        true => Ok(()),
        false => fchown(file, Some(old.uid()), Some(old.gid())),
    }
}

fn write_new(path: &Path, text: &str, prepare: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    let written =
        prepare(&file).and_then(|()| file.write_all(text.as_bytes())).and_then(|()| file.sync_all());
    written.inspect_err(|_| drop(std::fs::remove_file(path)))
}

fn sync_directory_of(path: &Path) -> io::Result<()> {
    File::open(directory_of(path))?.sync_all()
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_below_the_credentials_may_be_read_by_its_group() {
        let parent = tempfile::tempdir().unwrap();
        let path = |name: &str| parent.path().join(name);
        for directory in ["credentials/deep", "credentials-of-others"] {
            std::fs::create_dir_all(path(directory)).unwrap();
        }
        let credentials = || Some(path("credentials").into_os_string());
        for (key, credentials, expected) in [
            ("credentials/key", credentials(), 0o037),
            ("credentials/deep/key", credentials(), 0o037),
            ("credentials/../key", credentials(), 0o077),
            ("credentials-of-others/key", credentials(), 0o077),
            ("key", credentials(), 0o077),
            ("credentials/key", None, 0o077),
            ("credentials/key", Some(OsString::new()), 0o077),
        ] {
            assert_eq!(forbidden(&path(key), credentials), expected, "{key}");
        }
    }
}
