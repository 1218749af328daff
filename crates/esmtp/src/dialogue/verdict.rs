//! What became of a recipient, and for how long that stands.

use super::reply::{Kind, Reply};

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The next host has it.
    Delivered(Reply),
    /// Not now.
    Deferred(Reply),
    /// Refused for good.
    Failed(Reply),
}

impl Verdict {
    pub(super) fn refusal(reply: Reply) -> Verdict {
        if reply.kind() == Kind::Permanent { Verdict::Failed(reply) } else { Verdict::Deferred(reply) }
    }
}
