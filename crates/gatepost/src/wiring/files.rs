//! The files that keys of the configuration name: secrets and CAs.

use std::path::Path;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use submission::tls::pem;
use types::Secret;

/// CAs that are trusted besides the system's.
pub(crate) type Trust = Vec<CertificateDer<'static>>;

/// Those in the file that `key` names.
pub(crate) fn trust(file: Option<&Path>, key: &'static str) -> anyhow::Result<Trust> {
    file.map_or_else(|| Ok(Trust::new()), |path| pem::certificates(path).context(key))
}

/// More than any secret in a file needs.
const SECRET_FILE: usize = 64 * 1024;

/// The first line of a file that holds `what`, and is named by `key`.
pub(crate) fn first_line(file: &Path, key: &str, what: &str) -> anyhow::Result<Secret> {
    let read = std::fs::File::open(file).and_then(|file| auth::read_secret_text(file, SECRET_FILE));
    let text = read.with_context(|| format!("{key}: cannot read {}", file.display()))?;
    let line = text.lines().next().unwrap_or_default().trim_end_matches('\r');
    if line.is_empty() {
        anyhow::bail!("{key}: the first line of {} is empty; write {what} there", file.display());
    }
    Ok(Secret::new(line.as_bytes()))
}
