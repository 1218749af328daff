//! `gatepost serve`: runs the server.

use std::path::Path;

/// Serves what the configuration file says until SIGTERM or SIGINT.
pub(crate) async fn run(_config: &Path) -> anyhow::Result<()> {
    anyhow::bail!("`serve` is not built yet")
}
