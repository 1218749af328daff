//! Whom an account may send as besides itself.

use jiff::Timestamp;
use serde::Serialize;

/// An identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Identity {
    /// An address, `*@domain`, or `*`.
    pub sender: String,
    /// Since when.
    pub created_at: Timestamp,
}

impl Identity {
    pub(crate) fn of(identity: &store::Identity) -> Self {
        Self { sender: identity.sender.to_string(), created_at: identity.created_at }
    }
}
