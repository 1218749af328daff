//! The versions of TLS that are spoken.

use rustls::{SupportedProtocolVersion, version};
use types::TlsVersion;

/// The versions of TLS that are spoken, where this is the oldest. Nothing below 1.2 exists here at all (RFC 8996).
pub(crate) fn versions(oldest: TlsVersion) -> &'static [&'static SupportedProtocolVersion] {
    match oldest {
        TlsVersion::V1_2 => const { &[&version::TLS13, &version::TLS12] },
        TlsVersion::V1_3 => const { &[&version::TLS13] },
    }
}
