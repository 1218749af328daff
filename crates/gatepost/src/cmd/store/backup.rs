//! `gatepost store backup`: a copy that can be served from, made while the server runs.

use std::path::Path;

use config::Config;
use serde::Serialize;
use stores::BackedUp;

use crate::open;
use crate::output::Format;

/// What was made, as `--json` shows it.
#[derive(Serialize)]
struct View {
    directory: String,
    accounts: u64,
    messages: u64,
}

pub(super) async fn run(config: &Config, to: &Path, format: Format) -> anyhow::Result<()> {
    let BackedUp { accounts, messages } = open::back_up(&config.storage.directory, to).await?;
    let view = View { directory: to.display().to_string(), accounts, messages };
    format.print(&view, |View { directory, accounts, messages }| {
        format!(
            "{directory} holds a copy of the store; accounts: {accounts}, messages in its queue: {messages}"
        )
    })?;
    format.remark(&format!(
        "the master key {} is not in it: keep a copy of that elsewhere, since the backup is of no use without",
        config.storage.master_key_file.display()
    ));
    Ok(())
}
