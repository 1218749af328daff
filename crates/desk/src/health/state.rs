//! How a light is.

use serde::{Deserialize, Serialize};

/// How a light is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LightState {
    /// All is well.
    Good,
    /// It is not known.
    Unknown,
    /// It works, and should be looked at.
    Look,
    /// It does not work.
    Broken,
}

impl LightState {
    /// The state as it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Unknown => "unknown",
            Self::Look => "look",
            Self::Broken => "broken",
        }
    }

    /// The number that monitoring has for it.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Unknown => 0,
            Self::Broken => 1,
            Self::Look => 2,
            Self::Good => 3,
        }
    }
}
