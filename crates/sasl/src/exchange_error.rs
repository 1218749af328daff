//! Why there is no claim.

/// Why an exchange ended without a claim. None of these is a failed attempt to log in.
///
/// Exhaustive: each has a reply of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// Not base64 in its one canonical form: other characters, wrong padding, stray bits. RFC 4954 section 4.
    #[error("the response is not valid base64")]
    NotBase64,
    /// Not what the mechanism's response must be.
    #[error("the response is malformed")]
    Malformed,
    /// The client sent `*`. RFC 4954 section 4.
    #[error("the client cancelled the exchange")]
    Cancelled,
    /// The AUTH command came with an initial response, but the mechanism has the server speak first. RFC 4954 section 4.
    #[error("the mechanism takes no initial response")]
    NoInitialResponse,
}
