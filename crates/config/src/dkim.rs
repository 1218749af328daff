//! `[dkim]`: whether mail is signed as it leaves.

use serde::Deserialize;

/// Signatures of what leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dkim {
    /// Whether mail is signed whose author's domain has a key.
    pub sign: bool,
}

impl Default for Dkim {
    fn default() -> Dkim {
        Dkim { sign: true }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    sign: Option<bool>,
}

impl Written {
    pub(crate) fn mean(self) -> Dkim {
        Dkim { sign: self.sign.unwrap_or(Dkim::default().sign) }
    }
}
