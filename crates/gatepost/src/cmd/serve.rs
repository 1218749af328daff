//! `gatepost serve`: runs the server.

use std::path::Path;

use config::Config;

use crate::opened::Opened;
use crate::serve::Server;
use crate::{log, runtime};

/// Serves what the configuration file says until SIGTERM or SIGINT.
///
/// # Errors
/// When the server can't start: what it says names the file, the address or the process in the way.
pub(crate) fn run(file: &Path) -> anyhow::Result<()> {
    let opened = Opened::open(Config::load(file)?)?;
    let _log = log::start(opened.config.log)?;
    runtime::block_on(async { Server::start(file, opened).await?.run().await })
}
