//! Channel bindings: what ties a proof to the TLS connection it is made in (RFC 5056).

use types::Secret;

/// What a connection can be bound by; all absent without TLS.
#[derive(Debug, Clone, Default)]
pub struct ChannelBindings {
    /// `tls-exporter` (RFC 9266): 32 octets that both ends of the connection alone can know.
    pub exporter: Option<Secret>,
    /// `tls-server-end-point` (RFC 5929 section 4): a hash of the server's certificate.
    pub server_end_point: Option<Vec<u8>>,
}

impl ChannelBindings {
    /// Whether there is nothing to bind to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exporter.is_none() && self.server_end_point.is_none()
    }

    /// The binding of this type, as SCRAM names it.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&[u8]> {
        match name {
            "tls-exporter" => self.exporter.as_ref().map(Secret::declassify),
            "tls-server-end-point" => self.server_end_point.as_deref(),
            _ => None,
        }
    }
}
