//! `gatepost key`: the master key.

use std::path::PathBuf;

use crate::output;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Make a master key; an existing file is never overwritten
    Generate {
        /// The file, made with mode 0600
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Makes the key.
///
/// # Errors
/// When the file exists or can't be written.
pub(crate) fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Generate { file } => {
            auth::MasterKeys::generate(&file)?;
            output::line(&format!("wrote {}; keep a copy in a safe place", file.display()))
        }
    }
}
