//! What becomes of a recipient.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use types::Handover;

/// How an attempt ended for one recipient. `reply` is what the next host said, or what went wrong before it could;
/// `host` is who said it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The next host has it.
    Delivered {
        /// The last reply.
        reply: String,
        /// The next host.
        host: Option<String>,
        /// Whether the host itself said it.
        said_by_host: bool,
        /// How it was handed over, which is not kept.
        handover: Handover,
    },
    /// It is tried again.
    Deferred {
        /// The last reply.
        reply: String,
        /// The next host.
        host: Option<String>,
        /// Whether the host itself said it.
        said_by_host: bool,
        /// When.
        next_attempt_at: Timestamp,
    },
    /// It was refused for good, or given up.
    Failed {
        /// The last reply.
        reply: String,
        /// The next host.
        host: Option<String>,
        /// Whether the host itself said it.
        said_by_host: bool,
        /// Whether nobody is to be told of it any more, but by the [news](crate::Telling::news) that are recorded with it: its sender knows
        /// it already, or does not want to know.
        told: bool,
    },
    /// An operator has ended the attempts. No attempt was made, and none is counted.
    Returned {
        /// That it is so, and the last reply.
        reply: String,
        /// As of [`Failed`](Outcome::Failed).
        told: bool,
    },
    /// It waits for an operator.
    Held {
        /// The last reply; `None` if no attempt was made.
        reply: Option<String>,
        /// The next host.
        host: Option<String>,
    },
}

impl Outcome {
    /// The next host, if one was asked.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Outcome::Delivered { host, .. }
            | Outcome::Deferred { host, .. }
            | Outcome::Failed { host, .. }
            | Outcome::Held { host, .. } => host.as_deref(),
            Outcome::Returned { .. } => None,
        }
    }

    /// Whether the next host itself said the reply.
    #[must_use]
    pub fn is_said_by_host(&self) -> bool {
        match self {
            Outcome::Delivered { said_by_host, .. }
            | Outcome::Deferred { said_by_host, .. }
            | Outcome::Failed { said_by_host, .. } => *said_by_host,
            Outcome::Returned { .. } | Outcome::Held { .. } => false,
        }
    }

    /// The state that a recipient is in afterwards.
    pub fn state(&self) -> RecipientState {
        match self {
            Outcome::Delivered { .. } => RecipientState::Delivered,
            Outcome::Deferred { .. } => RecipientState::Deferred,
            Outcome::Failed { .. } | Outcome::Returned { .. } => RecipientState::Failed,
            Outcome::Held { .. } => RecipientState::Held,
        }
    }
}

/// Where a recipient of an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecipientState {
    /// Not tried yet.
    Queued,
    /// Tried, and will be again.
    Deferred,
    /// Waits for an operator.
    Held,
    /// The next host has it.
    Delivered,
    /// Refused for good, or given up.
    Failed,
}

impl RecipientState {
    /// Every state there is.
    pub const ALL: [RecipientState; 5] = [
        RecipientState::Queued,
        RecipientState::Deferred,
        RecipientState::Held,
        RecipientState::Delivered,
        RecipientState::Failed,
    ];

    /// The state as it is written and stored.
    pub fn name(self) -> &'static str {
        match self {
            RecipientState::Queued => "queued",
            RecipientState::Deferred => "deferred",
            RecipientState::Held => "held",
            RecipientState::Delivered => "delivered",
            RecipientState::Failed => "failed",
        }
    }
}

impl fmt::Display for RecipientState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RecipientState {
    type Err = UnknownState;

    fn from_str(name: &str) -> Result<Self, UnknownState> {
        RecipientState::ALL.into_iter().find(|state| state.name() == name).ok_or(UnknownState)
    }
}

/// A state that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown recipient state")]
pub struct UnknownState;
