//! Messages that are handed in again, because the 250 to the first was lost.

use jiff::Timestamp;

/// What a message is known by when it is handed in again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuplicateKey {
    /// Of whatever makes it the same message: who hands it in, its header but for what changes when it is tried again, its body and its envelope.
    pub digest: [u8; 16],
    /// When it was here as a whole.
    pub received_at: Timestamp,
    /// If one with this digest was here as a whole then or later, this is the same again.
    pub since: Timestamp,
}

impl DuplicateKey {
    /// Whether one with this digest that was here as a whole then is the same. Not if that lies further ahead than messages are known: a clock
    /// that was wrong is not to have it known for longer.
    #[must_use]
    pub fn is_known_from(&self, received_at: Timestamp) -> bool {
        let known_for = self.received_at.duration_since(self.since);
        self.since <= received_at && received_at.duration_since(self.received_at) <= known_for
    }
}
