//! A light.

use jiff::Timestamp;

use super::condition::Condition;
use super::state::LightState;

/// What a light is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LightName {
    /// Whether the listeners for mail answer.
    FrontDoor,
    /// The certificate of the server.
    Certificate,
    /// Whether mail leaves.
    Delivery,
    /// Room, and how fast it is written.
    Disk,
    /// Whether accounts and queue can be written, and their secrets opened.
    Store,
    /// Whether mail hosts can be looked up.
    Dns,
    /// Whether far more logins are refused than usual.
    Logins,
    /// Whether backups are made.
    Backups,
}

impl LightName {
    /// Those that every server has: all but backups, which somebody has to ask for.
    pub const ALWAYS_THERE: [Self; 7] = [
        Self::FrontDoor,
        Self::Certificate,
        Self::Delivery,
        Self::Disk,
        Self::Store,
        Self::Dns,
        Self::Logins,
    ];

    /// The name as programs know it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::FrontDoor => "front-door",
            Self::Certificate => "certificate",
            Self::Delivery => "delivery",
            Self::Disk => "disk",
            Self::Store => "store",
            Self::Dns => "dns",
            Self::Logins => "logins",
            Self::Backups => "backups",
        }
    }
}

/// A light: what it says, and since when it has been so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Light {
    /// What it is about.
    pub name: LightName,
    /// What it says.
    pub condition: Condition,
    /// Since when it has been in this state.
    pub since: Timestamp,
}

impl Light {
    /// How it is.
    #[must_use]
    pub fn state(&self) -> LightState {
        self.condition.kind.state()
    }
}
