//! `[health]`: what the server looks at beside itself.

use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::value::Base;

/// What the server looks at beside itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// A file that is touched whenever a backup was made; `None`: nobody looks whether any is.
    pub backup_stamp: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    backup_stamp: Option<Spanned<String>>,
}

impl Written {
    pub(crate) fn mean(self, base: &Base) -> Result<Health, Fault> {
        Ok(Health { backup_stamp: self.backup_stamp.map(|path| base.path(&path)).transpose()? })
    }
}
