//! `gatepost man`: a manual page for the command and each of its subcommands.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::CommandLine;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where the pages go; made if it isn't there
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// Writes `gatepost.1`, `gatepost-user.1` and so on.
///
/// # Errors
/// When the directory can't be made or written.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let write = || {
        std::fs::create_dir_all(&args.dir)?;
        clap_mangen::generate_to(CommandLine::command(), &args.dir)
    };
    write().with_context(|| format!("cannot write the manual pages into {}", args.dir.display()))
}
