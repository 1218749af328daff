//! A certificate that a client logs in with.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::Serialize;
use store::LastUse;

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Certificate {
    /// What it is known by.
    pub fingerprint: String,
    /// Where it is in use, in its owner's words.
    pub label: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it becomes invalid, if that is known.
    pub expires_at: Option<Timestamp>,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
    /// From where.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub last_used_ip: Option<IpAddr>,
}

impl Certificate {
    pub(crate) fn of(certificate: &store::Certificate) -> Self {
        let last_used = certificate.last_used.as_ref();
        Self {
            fingerprint: certificate.fingerprint.to_string(),
            label: certificate.label.clone(),
            created_at: certificate.created_at,
            expires_at: certificate.expires_at,
            last_used_at: last_used.map(|LastUse { at, .. }| *at),
            last_used_ip: last_used.map(|LastUse { ip, .. }| *ip),
        }
    }
}
