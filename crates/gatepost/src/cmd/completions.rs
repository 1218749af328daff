//! `gatepost completions`: the completion script of a shell, on stdout.

use clap::CommandFactory as _;

use crate::CommandLine;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which shell
    shell: clap_complete::Shell,
}

/// Prints the script.
///
/// # Errors
/// When stdout can't be written.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut CommandLine::command(), "gatepost", &mut script);
    crate::output::raw(&script)
}
