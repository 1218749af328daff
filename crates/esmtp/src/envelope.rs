//! The envelope of a message (RFC 5321 section 2.3.1).

use types::{BodyType, ForwardPath, ReversePath};

/// Who sends a message to whom, and what its transport has to be able to carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// Where reports about the message go.
    pub reverse_path: ReversePath,
    /// The accepted recipients, each once, in the client's order.
    pub forward_paths: Vec<ForwardPath>,
    /// What was declared (RFC 6152), or once the text has ended, what it is: [`BodyType::EightBit`] if there is an octet above
    /// 127 in it.
    pub body: BodyType,
    /// The client asked for SMTPUTF8 (RFC 6531 section 3.4).
    pub smtputf8: bool,
    /// The size in octets that the client declared (RFC 1870 section 6).
    pub declared_size: Option<u64>,
    /// The text had bare line ends, and they were repaired.
    pub repaired_line_ends: bool,
}
