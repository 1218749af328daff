//! `[audit]`: how long is remembered what happened.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::value::{self, Time};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The audit trail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit {
    /// How long its entries are kept.
    pub keep: Duration,
}

impl Default for Audit {
    fn default() -> Audit {
        Audit { keep: DAY * 30 }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    keep: Option<Spanned<Time>>,
}

impl Written {
    pub(crate) fn mean(self) -> Result<Audit, Fault> {
        let default = Audit::default();
        Ok(Audit { keep: value::time(self.keep, default.keep, DAY..=DAY * 3650)? })
    }
}
