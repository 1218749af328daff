//! Standard output. A reader that went away (`gatepost queue list | head`) is no error.

use std::io::{self, Write as _};

use anyhow::Context as _;

/// Text and a line end.
///
/// # Errors
/// When stdout can't be written.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    raw(format!("{text}\n").as_bytes())
}

/// Octets as they are.
///
/// # Errors
/// When stdout can't be written; a closed pipe is no error.
pub(crate) fn raw(octets: &[u8]) -> anyhow::Result<()> {
    written(octets).map(drop)
}

/// Writes octets; `false` if nobody reads them any more.
pub(super) fn written(octets: &[u8]) -> anyhow::Result<bool> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(octets).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        written => written.context("cannot write to standard output").map(|()| true),
    }
}
