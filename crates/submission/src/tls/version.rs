//! The versions of TLS that are spoken.

use rustls::{SupportedProtocolVersion, version};

/// The oldest version of TLS that is spoken. Nothing below 1.2 exists here at all (RFC 8996).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MinVersion {
    /// TLS 1.2 and 1.3.
    #[default]
    Tls12,
    /// TLS 1.3 alone.
    Tls13,
}

impl MinVersion {
    pub(crate) fn versions(self) -> &'static [&'static SupportedProtocolVersion] {
        match self {
            Self::Tls12 => const { &[&version::TLS13, &version::TLS12] },
            Self::Tls13 => const { &[&version::TLS13] },
        }
    }
}
