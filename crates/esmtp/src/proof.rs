//! Proof that something has happened which a reply depends on. Each token has one constructor, so that a search for
//! its callers is the audit.

use types::QueueId;

/// The sender was checked and may be used. [`crate::Answer::Sender`] wants one.
#[derive(Debug)]
pub struct SenderAllowed(());

impl SenderAllowed {
    /// To be called by a sender policy alone, once it has said yes.
    pub fn after_check() -> Self {
        Self(())
    }
}

/// The message is on stable storage. [`crate::Reply::queued`] wants one, and is the only 250 after a message.
#[derive(Debug)]
pub struct Durable(QueueId);

impl Durable {
    /// To be called by what stores messages alone, once its sync has returned without an error.
    pub fn after_sync(id: QueueId) -> Self {
        Self(id)
    }

    /// What the message is called from here on.
    pub fn id(&self) -> QueueId {
        self.0
    }
}
