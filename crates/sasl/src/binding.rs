//! Channel bindings: what ties a proof to the TLS connection it is made in (RFC 5056).

use types::Secret;

/// What a connection can be bound by; all absent without TLS.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_bound_by_what_it_has_under_the_name_that_it_has() {
        let (exporter, end_point) = (Secret::new("exported"), b"hashed".to_vec());
        let none = ChannelBindings::default();
        let one = ChannelBindings { exporter: Some(exporter.clone()), server_end_point: None };
        let other = ChannelBindings { exporter: None, server_end_point: Some(end_point.clone()) };
        let both = ChannelBindings { exporter: Some(exporter), server_end_point: Some(end_point) };
        assert!(none.is_empty() && !one.is_empty() && !other.is_empty() && !both.is_empty());
        let names = ["tls-exporter", "tls-server-end-point", "tls-unique"];
        let found = |bindings: &ChannelBindings| names.map(|name| bindings.by_name(name).map(<[u8]>::to_vec));
        assert_eq!(found(&none), [None, None, None]);
        assert_eq!(found(&one), [Some(b"exported".to_vec()), None, None]);
        assert_eq!(found(&other), [None, Some(b"hashed".to_vec()), None]);
        assert_eq!(found(&both), [Some(b"exported".to_vec()), Some(b"hashed".to_vec()), None]);
    }
}
