//! The envelope of a message on its way out, and what it needs of the next host.

use types::{BodyType, ForwardPath, ReversePath};

/// A message to be sent: everything but its text.
#[derive(Debug, Clone)]
pub struct Envelope<'a> {
    /// Where failures are told.
    pub reverse_path: &'a ReversePath,
    /// Where it goes; verdicts come in the same order.
    pub forward_paths: Vec<&'a ForwardPath>,
    /// Whether the text has octets above 127.
    pub body: BodyType,
    /// Whether an address or a header field needs RFC 6531.
    pub smtputf8: bool,
    /// The octets of the text, for SIZE (RFC 1870).
    pub size: u64,
}

impl Envelope<'_> {
    pub(super) fn needs_utf8(&self) -> bool {
        let ascii = self.reverse_path.is_ascii() && self.forward_paths.iter().all(|path| path.is_ascii());
        self.smtputf8 || !ascii
    }
}
