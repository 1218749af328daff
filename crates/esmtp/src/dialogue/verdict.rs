//! What became of a recipient, and for how long that stands.

use types::Handover;

use super::capability::Capabilities;
use super::reply::{Kind, Reply};

/// What became of one recipient.
///
/// Exhaustive: whoever sends has to deal with each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The next host has it, and was told what the sender asks, or could not be.
    Delivered(Reply, Handover),
    /// Not now.
    Deferred(Reply),
    /// Not as far as is known: the next host has the whole text, and has answered with what is no reply to it. It may have the
    /// message.
    Unclear(Reply),
    /// Refused for good.
    Failed(Reply),
}

impl Verdict {
    /// What the next host said, or what we say of it.
    pub fn reply(&self) -> &Reply {
        match self {
            Verdict::Delivered(reply, _)
            | Verdict::Deferred(reply)
            | Verdict::Unclear(reply)
            | Verdict::Failed(reply) => reply,
        }
    }

    /// A refusal by `peer`, or by us because of what it does not offer: for good if its reply is, unless it is about
    /// something else than the recipient or the message.
    ///
    /// Nothing is for good that a peer decides which was spoken to with HELO (RFC 5321 section 3.2). To refuse EHLO is what hosts
    /// and the filters before them do in trouble, too, and then what they offer otherwise is not known.
    pub fn refusal(reply: Reply, peer: &Capabilities) -> Verdict {
        let for_good = reply.kind() == Kind::Permanent && peer.extended && !is_about_us(&reply);
        if for_good { Verdict::Failed(reply) } else { Verdict::Deferred(reply) }
    }
}

/// Whether a reply is about our login, which an operator can put right. RFC 4954 section 6: 530 may come to any command.
fn is_about_us(reply: &Reply) -> bool {
    matches!(reply.code(), 530 | 534 | 535 | 538)
}
