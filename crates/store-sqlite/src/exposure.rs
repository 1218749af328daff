//! Whether others may get at a store: its directories and files are its owner's alone.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::directory::Directory;
use crate::store::SqliteStore;

/// Rights of the group and of others.
const OTHERS: u32 = 0o077;

/// A file or directory of a store that is not its owner's alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exposed {
    /// Which.
    pub path: PathBuf,
    /// What its mode is.
    pub mode: u32,
}

impl SqliteStore {
    /// What the group or others have rights on, of the store in the directory `root`: the directory itself, the files in it, and
    /// the directory of the messages, which keeps others from each of them. Nothing, if there is no store yet.
    ///
    /// # Errors
    /// When the directory can't be read.
    pub fn exposed(root: &Path) -> io::Result<Vec<Exposed>> {
        let directory = Directory::at(root);
        let mut paths = vec![root.to_owned(), directory.spool()];
        match fs::read_dir(root) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => {
                for entry in entries? {
                    let entry = entry?;
                    paths.extend(entry.file_type()?.is_file().then(|| entry.path()));
                }
            }
        }
        paths.sort();
        paths.into_iter().filter_map(|path| exposed(path).transpose()).collect()
    }
}

/// A file of SQLite may go at any moment.
fn exposed(path: PathBuf) -> io::Result<Option<Exposed>> {
    match fs::metadata(&path) {
        Ok(found) => {
            let mode = found.permissions().mode() & 0o777;
            Ok((mode & OTHERS != 0).then_some(Exposed { path, mode }))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
