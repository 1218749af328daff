//! `gatepost check`: says what is wrong with the set-up, serving nothing.

use std::path::Path;

/// Reads everything that `serve` would read.
pub(crate) async fn run(_config: &Path) -> anyhow::Result<()> {
    anyhow::bail!("`check` is not built yet")
}
