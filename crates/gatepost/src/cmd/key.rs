//! `gatepost key`: the master keys.

use std::path::{Path, PathBuf};

use crate::output::{self, Format};

mod nodes;
mod reseal;
mod add;
mod activate;
mod list;
mod rotate;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a master key; an existing file is never overwritten
    Generate {
        /// The file, made with mode 0600
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Add a new master key to the key file; it seals nothing before `activate`
    Add {
        #[command(flatten)]
        format: Format,
    },
    /// Have the newest master key seal, and re-seal every secret under it; or finish that if it was interrupted
    Activate {
        #[command(flatten)]
        format: Format,
    },
    /// List the master keys, and how many secrets each has sealed
    List {
        #[command(flatten)]
        format: Format,
    },
    /// Add a new master key and re-seal every secret under it; or finish a rotation that was interrupted
    Rotate {
        #[command(flatten)]
        format: Format,
    },
}

/// Makes a key; the configuration is read only where there is a store to be worked on.
///
/// # Errors
/// When the file exists or can't be written, a server lacks the key, or not every secret could be sealed anew.
pub(crate) async fn run(config: &Path, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Generate { file } => {
            auth::MasterKeys::generate(&file)?;
            output::line(&format!("wrote {}; keep a copy in a safe place", file.display()))
        }
        Command::Add { format } => add::run(config, format).await,
        Command::Activate { format } => activate::run(config, format).await,
        Command::List { format } => list::run(config, format).await,
        Command::Rotate { format } => rotate::run(config, format).await,
    }
}
