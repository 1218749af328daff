//! What a handshake has agreed on, in the names that people use.

use rustls::{CipherSuite, CommonState, ProtocolVersion};
use types::TlsFacts;

/// The version and the cipher suite of a connection, once its handshake is done.
#[must_use]
pub fn agreed(connection: &CommonState) -> Option<TlsFacts> {
    let version = match connection.protocol_version()? {
        ProtocolVersion::TLSv1_3 => "TLSv1.3",
        ProtocolVersion::TLSv1_2 => "TLSv1.2",
        _ => return None,
    };
    let cipher = registered_name(connection.negotiated_cipher_suite()?.suite())?;
    Some(TlsFacts::new(version, cipher))
}

/// The cipher suite as the IANA registry has it; rustls writes those of TLS 1.3 its own way.
fn registered_name(suite: CipherSuite) -> Option<&'static str> {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => Some("TLS_AES_128_GCM_SHA256"),
        CipherSuite::TLS13_AES_256_GCM_SHA384 => Some("TLS_AES_256_GCM_SHA384"),
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => Some("TLS_CHACHA20_POLY1305_SHA256"),
        other => other.as_str(),
    }
}
