//! `[tls_rpt]`: whether other domains hear how TLS went with their mail hosts.

use serde::Deserialize;

/// Reports on TLS to the domains that want them (RFC 8460).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TlsRpt {
    /// Whether they are sent.
    pub send: bool,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Written {
    send: Option<bool>,
}

impl Written {
    pub(crate) fn mean(self) -> TlsRpt {
        TlsRpt { send: self.send.unwrap_or(TlsRpt::default().send) }
    }
}
