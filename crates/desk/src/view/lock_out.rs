//! Somebody who is locked out.

use jiff::Timestamp;
use serde::Serialize;
use store::Counted;

/// Somebody who is locked out after failed logins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LockOut {
    /// What was counted.
    pub kind: &'static str,
    /// The account, the network, or both.
    pub key: String,
    /// How many failures.
    pub failures: usize,
    /// Until when.
    pub until: Timestamp,
}

impl LockOut {
    pub(crate) fn of(counted: &Counted) -> Self {
        Self {
            kind: counted.key.kind.name(),
            key: counted.key.to_string(),
            failures: counted.marks.len(),
            until: counted.until,
        }
    }
}
