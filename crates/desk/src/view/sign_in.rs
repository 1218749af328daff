//! What the owner of an account is told of a login to it, or of a change.

use serde::Serialize;

use super::AuditEntry;

/// An entry of the trail, as the owner of the account sees it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SignIn {
    /// What the trail has.
    #[serde(flatten)]
    pub entry: AuditEntry,
    /// What the owner calls the app password or the certificate, if there is still one.
    pub label: Option<String>,
    /// Whether it is the first login from that network, as far back as the trail goes.
    pub new_network: bool,
}
