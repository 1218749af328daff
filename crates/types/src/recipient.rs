//! A recipient of a message, as its envelope has it.

use crate::{ForwardPath, Notify, OriginalRecipient};

/// A recipient, and what its sender wants to be told about it (RFC 3461). Nobody can ask for that yet: NOTIFY and ORCPT are taken once
/// there are notifications, and the envelopes and queues of today have a place for them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EnvelopeRecipient {
    /// Where the message goes.
    pub path: ForwardPath,
    /// When the sender is to be told; `None` leaves it to the server.
    pub notify: Option<Notify>,
    /// Whom the sender had named, if that was said.
    pub orcpt: Option<OriginalRecipient>,
}

impl EnvelopeRecipient {
    /// A recipient about whom nothing is asked.
    #[must_use]
    pub const fn new(path: ForwardPath) -> Self {
        Self { path, notify: None, orcpt: None }
    }
}

impl From<ForwardPath> for EnvelopeRecipient {
    fn from(path: ForwardPath) -> Self {
        Self::new(path)
    }
}
