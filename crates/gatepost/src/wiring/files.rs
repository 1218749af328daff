//! The files that keys of the configuration name: secrets and CAs.

use std::path::Path;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use submission::pem;
use types::Secret;

/// CAs that are trusted besides the system's.
pub(crate) type Trust = Vec<CertificateDer<'static>>;

/// Those in the file that `key` names.
pub(crate) fn trust(file: Option<&Path>, key: &'static str) -> anyhow::Result<Trust> {
    file.map_or_else(|| Ok(Trust::new()), |path| pem::certificates(path).context(key))
}

/// The first line of a file that holds `what`, and is named by `key`.
pub(crate) fn first_line(file: &Path, key: &str, what: &str) -> anyhow::Result<Secret> {
    let mut text =
        std::fs::read_to_string(file).with_context(|| format!("{key}: cannot read {}", file.display()))?;
    text.truncate(text.find(['\r', '\n']).unwrap_or(text.len()));
    if text.is_empty() {
        anyhow::bail!("{key}: the first line of {} is empty; write {what} there", file.display());
    }
    Ok(Secret::new(text))
}
