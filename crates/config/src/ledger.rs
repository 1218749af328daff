//! `[ledger]`: how long it is known what was sent.

use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::fault::Fault;
use crate::value::{self, Time};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The ledger: what was sent, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ledger {
    /// How long it is kept; nothing: there is none.
    pub keep: Duration,
}

impl Default for Ledger {
    fn default() -> Ledger {
        Ledger { keep: DAY * 30 }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    keep: Option<Spanned<Time>>,
}

impl Written {
    pub(crate) fn mean(self) -> Result<Ledger, Fault> {
        let default = Ledger::default();
        Ok(Ledger { keep: value::time(self.keep, default.keep, Duration::ZERO..=DAY * 3650)? })
    }
}
