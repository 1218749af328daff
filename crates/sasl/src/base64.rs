//! Base64 as RFC 4954 wants it: one text for one value, and everything else refused.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use types::Secret;

use crate::exchange_error::ExchangeError;

/// Decodes a response. The standard alphabet alone, whole padding, no stray bits, no white space.
pub(crate) fn decode(text: &str) -> Result<Secret, ExchangeError> {
    STANDARD.decode(text).map(Secret::new).map_err(|_| ExchangeError::NotBase64)
}

pub(crate) fn encode(octets: impl AsRef<[u8]>) -> String {
    STANDARD.encode(octets)
}
