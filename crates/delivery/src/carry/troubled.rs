//! A destination whose host does not answer, for whoever watches the server.

use jiff::Timestamp;

/// A destination that mail waits for, whose host did not answer at the last attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TroubledDestination {
    /// Where the mail goes, as the queue has it: such as `mx:example.org`.
    pub destination: String,
    /// When the last attempt ended.
    pub tried_at: Timestamp,
    /// What it came to, if the host could not even be reached.
    pub reply: Option<String>,
}
