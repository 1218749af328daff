//! Proof that something has happened which a reply depends on. What proves it has one constructor, so that a search for its callers
//! is the audit.

use std::fmt;

use types::QueueId;

/// The sender may be used: it was checked, or is not checked here at all. The answer to [`crate::Question::Sender`] wants one.
#[derive(Debug)]
pub struct SenderAllowed(());

impl SenderAllowed {
    /// To be called by a sender policy alone, once it has said yes.
    pub fn after_check() -> Self {
        Self(())
    }

    /// To be called where there is no sender policy: whoever has come so far may use any name.
    pub fn unchecked() -> Self {
        Self(())
    }
}

/// The message is on stable storage. [`crate::Reply::queued`] wants one, and is the only 250 after a message.
#[derive(Debug)]
pub struct Durable {
    name: MessageName,
    text: Option<String>,
}

impl Durable {
    /// To be called by what stores messages alone, once its sync has returned without an error. The name is what the client is told,
    /// and whoever asks for the message later: a [`QueueId`], or any text.
    pub fn after_sync(name: impl Into<MessageName>) -> Self {
        Self { name: name.into(), text: None }
    }

    /// The words behind `250 2.0.0`, in place of `queued as NAME`. They are one line: control characters in them are left out.
    #[must_use]
    pub fn saying(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// What the message is called from here on.
    pub fn name(&self) -> &MessageName {
        &self.name
    }

    pub(crate) fn text(&self) -> String {
        self.text.clone().unwrap_or_else(|| format!("queued as {}", self.name))
    }
}

/// What an accepted message is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageName(Name);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    Id(QueueId),
    Own(String),
}

impl fmt::Display for MessageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Name::Id(id) => id.fmt(f),
            Name::Own(name) => name.fmt(f),
        }
    }
}

impl From<QueueId> for MessageName {
    fn from(id: QueueId) -> Self {
        Self(Name::Id(id))
    }
}

impl From<String> for MessageName {
    fn from(name: String) -> Self {
        Self(Name::Own(name))
    }
}

impl From<&str> for MessageName {
    fn from(name: &str) -> Self {
        Self(Name::Own(name.to_owned()))
    }
}
