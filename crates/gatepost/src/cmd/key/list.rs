//! `gatepost key list`: the master keys, and which of them still seal something.

use std::path::Path;

use desk::view::{MasterKey, MasterKeyState};

use crate::open;
use crate::output::{self, Format};

pub(super) async fn run(config: &Path, format: Format) -> anyhow::Result<()> {
    let (config, store) = open::store(config).await?;
    let keys = open::desk(&config, &store).master_keys().await;
    store.close().await;
    let keys = keys?;
    format.print(&keys, |keys| output::table(["KEY", "STATE", "SECRETS"], keys.iter().map(row)))?;
    for MasterKey { key, secrets, .. } in keys.iter().filter(|key| key.state == MasterKeyState::Missing) {
        output::warn(&format!(
            "master key {key} has sealed {secrets} of the secrets, and is not in {}: put its line back from your copy of the file",
            config.storage.master_key_file.display()
        ));
    }
    Ok(())
}

fn row(key: &MasterKey) -> [String; 3] {
    [key.key.to_string(), key.state.name().to_owned(), key.secrets.to_string()]
}
