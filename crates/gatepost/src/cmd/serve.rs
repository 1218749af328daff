//! `gatepost serve`: runs the server.

use std::path::Path;

use config::Config;

use crate::log;
use crate::serve::Server;

/// Serves what the configuration file says until SIGTERM or SIGINT.
///
/// # Errors
/// When the server can't start: what it says names the file, the address or the process in the way.
pub(crate) async fn run(file: &Path) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    let _log = log::start(config.log)?;
    Server::start(file, config).await?.run().await
}
