//! The envelope of a message (RFC 5321 section 2.3.1).

use types::{BodyType, ForwardPath, ReversePath};

/// Who sends a message to whom, and what its transport has to be able to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where reports about the message go.
    pub reverse_path: ReversePath,
    /// The accepted recipients, each once, in the client's order.
    pub forward_paths: Vec<ForwardPath>,
    /// [`BodyType::EightBit`] when it was declared (RFC 6152), or when octets above 127 were sent all the same.
    pub body: BodyType,
    /// The client asked for SMTPUTF8 (RFC 6531 section 3.4).
    pub smtputf8: bool,
    /// The size in octets that the client declared (RFC 1870 section 6).
    pub declared_size: Option<u64>,
}
