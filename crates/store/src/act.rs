//! Who does something to the store.

use jiff::Timestamp;

/// Who does something, and when: for the log and the audit trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    /// The user of the system who ran the command.
    pub by: String,
    /// When.
    pub at: Timestamp,
}
