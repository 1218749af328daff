//! A recipient of a message, as its envelope has it.

use crate::{ForwardPath, Notify, OriginalRecipient};

/// A recipient, and what its sender wants to be told about it (RFC 3461).
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

    /// Whether its sender is to be told that it has the message.
    #[must_use]
    pub fn wants_success(&self) -> bool {
        self.notify_or_default().success
    }

    /// Whether its sender is to be told that the message can't be delivered.
    #[must_use]
    pub fn wants_failure(&self) -> bool {
        self.notify_or_default().failure
    }

    /// Whether its sender is to be told that the message is late.
    #[must_use]
    pub fn wants_delay(&self) -> bool {
        self.notify_or_default().delay
    }

    /// Each thing that is asked about it, as text.
    #[must_use]
    pub fn asked(&self) -> [String; 3] {
        let Self { path, notify, orcpt } = self;
        [
            path.to_string(),
            notify.map(|notify| notify.to_string()).unwrap_or_default(),
            orcpt.as_ref().map(OriginalRecipient::to_string).unwrap_or_default(),
        ]
    }

    fn notify_or_default(&self) -> Notify {
        self.notify.unwrap_or(Notify::DEFAULT)
    }
}

impl From<ForwardPath> for EnvelopeRecipient {
    fn from(path: ForwardPath) -> Self {
        Self::new(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_said_is_failure_and_delay() {
        let told = |notify: Option<&str>| {
            let mut bob = EnvelopeRecipient::new(ForwardPath::take("<bob@example.net>").unwrap().0);
            bob.notify = notify.and_then(Notify::from_text);
            [bob.wants_success(), bob.wants_failure(), bob.wants_delay()]
        };
        assert_eq!(told(None), [false, true, true]);
        assert_eq!(told(Some("NEVER")), [false, false, false]);
        assert_eq!(told(Some("SUCCESS")), [true, false, false]);
        assert_eq!(told(Some("DELAY,FAILURE")), [false, true, true]);
    }
}
