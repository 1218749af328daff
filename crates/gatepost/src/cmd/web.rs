//! `gatepost web`: the pages and the API, from outside of the server.

use crate::output;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Print the document of the API: OpenAPI 3.1, in JSON
    Describe,
}

/// Needs neither a configuration nor a store.
///
/// # Errors
/// When standard output takes nothing.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Describe => output::line(console::api_document().trim_end()),
    }
}
