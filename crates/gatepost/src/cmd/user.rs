//! `gatepost user`.

use std::path::Path;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {}

pub(crate) async fn run(_config: &Path, command: Command) -> anyhow::Result<()> {
    match command {}
}
