//! `gatepost demo`: the main job with nothing to set up.

use std::path::{Path, PathBuf};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Where everything is kept; a second start finds it there
    #[arg(long, value_name = "DIR", default_value = "gatepost-demo")]
    pub(crate) dir: PathBuf,
}

/// Serves local ports from `dir`, which is made if it isn't there.
pub(crate) async fn run(_dir: &Path) -> anyhow::Result<()> {
    anyhow::bail!("`demo` is not built yet")
}
