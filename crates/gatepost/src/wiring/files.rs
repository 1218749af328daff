//! The files that keys of the configuration name: secrets and CAs.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use submission::tls::pem;
use types::Secret;

/// A file that a key of the configuration names, and that is no use: an error, or what one is about.
#[derive(Debug)]
pub(crate) struct NamedFile {
    path: PathBuf,
    trouble: String,
}

impl NamedFile {
    pub(crate) fn new(path: &Path, trouble: impl Into<String>) -> Self {
        Self { path: path.to_owned(), trouble: trouble.into() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for NamedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.trouble)
    }
}

impl Error for NamedFile {}

/// CAs that are trusted besides the system's.
pub(crate) type Trust = Vec<CertificateDer<'static>>;

/// Those in the file that `key` names.
pub(crate) fn trust(file: Option<&Path>, key: &'static str) -> anyhow::Result<Trust> {
    file.map_or_else(
        || Ok(Trust::new()),
        |path| pem::certificates(path).with_context(|| NamedFile::new(path, key)),
    )
}

/// More than any secret in a file needs.
const SECRET_FILE: usize = 64 * 1024;

/// The first line of a file that holds `what`, and is named by `key`.
pub(crate) fn first_line(file: &Path, key: &str, what: &str) -> anyhow::Result<Secret> {
    let read = std::fs::File::open(file).and_then(|file| auth::read_secret_text(file, SECRET_FILE));
    let text =
        read.with_context(|| NamedFile::new(file, format!("{key}: cannot read {}", file.display())))?;
    let line = text.lines().next().unwrap_or_default().trim_end_matches('\r');
    if line.is_empty() {
        let trouble = format!("{key}: the first line of {} is empty; write {what} there", file.display());
        return Err(NamedFile::new(file, trouble).into());
    }
    Ok(Secret::new(line.as_bytes()))
}
