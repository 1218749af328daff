//! What may be missing from a store, from when that was found until an operator has accepted it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::commit_mark;
use crate::directory::Directory;

/// A database, for those that ask whether something may be missing from it.
#[derive(Debug, Clone)]
pub(crate) struct Losses {
    /// What may be missing, as a sentence; without this file nothing is.
    told: PathBuf,
}

impl Losses {
    pub(crate) fn of(database: &Path) -> Self {
        Self { told: database.with_extension("lost") }
    }

    /// Whether something may be missing, and nobody has accepted that.
    pub(crate) fn are_open(&self) -> bool {
        self.told.exists()
    }

    /// What may be missing, as a sentence.
    pub(crate) fn read(&self) -> Option<String> {
        fs::read_to_string(&self.told).ok().map(|told| told.trim_end().to_owned())
    }

    /// Forgets it: an operator goes on without it.
    pub(crate) fn accept(&self) -> io::Result<()> {
        fs::remove_file(&self.told)
    }

    fn write(&self, sentence: &str) -> io::Result<()> {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&self.told)?;
        writeln!(file, "{sentence}")?;
        file.sync_all()
    }
}

/// Looks, before SQLite does, whether commits are missing from the databases. It would go on without them, and write over
/// what is damaged: a copy of that is kept.
pub(crate) fn look(directory: &Directory) -> io::Result<()> {
    let accounts = "accounts, passwords, second factors or their changes may be missing, and what was revoked may be good again";
    find(&directory.accounts(), accounts)?;
    find(&directory.queue(), "accepted messages may be missing, and some may be delivered twice")
}

fn find(database: &Path, missing: &str) -> io::Result<()> {
    if !commit_mark::is_ahead(database)? {
        return Ok(());
    }
    let name = database.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let [wal, copy] =
        ["-wal", "-wal.damaged"].map(|suffix| database.with_file_name(format!("{name}{suffix}")));
    let kept = match fs::copy(&wal, &copy) {
        Ok(_) => format!("; the damaged {name}-wal is kept as {name}-wal.damaged"),
        Err(_) => String::new(),
    };
    Losses::of(database)
        .write(&format!("{name} is behind the last commit that was made: {missing}{kept}"))?;
    commit_mark::forget(database);
    Ok(())
}

/// Tells the log what may be missing.
pub(crate) fn tell(directory: &Directory) {
    for database in [directory.accounts(), directory.queue()] {
        if let Some(told) = Losses::of(&database).read() {
            tracing::error!(
                event = "store.may-lack",
                database = %database.display(),
                "{told}. Look at `gatepost store check`, and run it with --accept to go on without it"
            );
        }
    }
}
