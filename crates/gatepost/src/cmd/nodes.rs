//! `gatepost nodes`: the servers that use the store.

use std::path::Path;

use desk::view::Node;

use crate::open;
use crate::output::{self, Format};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// List the servers that use the store, each with the newest of its master keys
    List {
        #[command(flatten)]
        format: Format,
    },
}

/// Works on the store that the configuration names.
///
/// # Errors
/// When it could not be done.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    let Command::List { format } = command;
    let (config, store) = open::store(config).await?;
    let nodes = open::desk(&config, &store).nodes().await;
    store.close().await;
    let heading = ["ID", "NAME", "VERSION", "STARTED", "NEWEST KEY"];
    format.print(&nodes?, |nodes| output::table(heading, nodes.iter().map(row)))
}

fn row(node: &Node) -> [String; 5] {
    [
        node.id.clone(),
        node.name.clone(),
        node.version.clone(),
        output::time(node.started_at),
        output::or_dash(node.newest_key),
    ]
}
