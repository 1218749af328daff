//! The two protocols in which a host takes mail.

use types::Handover;

use super::capability::Capabilities;
use super::reply::Reply;

/// How a host is spoken to.
///
/// Exhaustive: there is no third.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RFC 5321.
    #[default]
    Smtp,
    /// RFC 2033: for whoever has no queue. It says of each recipient what became of the message, and is where the message ends.
    Lmtp,
}

impl Protocol {
    /// How we introduce ourselves. LHLO has no older form to fall back to (RFC 2033 section 4.1).
    pub(super) fn hello(self, extended: bool) -> &'static [u8] {
        match (self, extended) {
            (Protocol::Lmtp, _) => b"LHLO ",
            (Protocol::Smtp, true) => b"EHLO ",
            (Protocol::Smtp, false) => b"HELO ",
        }
    }

    /// What the host offers. Notifications are left to nobody behind whom there is no other: what was delivered is ours to report. Nor is
    /// binary text: mailboxes have lines.
    pub(super) fn offered(self, reply: &Reply) -> Capabilities {
        let offered = Capabilities::read(reply);
        match self {
            Protocol::Smtp => offered,
            Protocol::Lmtp => Capabilities { dsn: false, binary_mime: false, ..offered },
        }
    }

    /// What it means that a host has the message, for which a time was set or not. RFC 3461 section 5.2: whoever offers DSN was told what the sender asks, and sees to it from
    /// here on.
    pub(super) fn handover(self, peer: &Capabilities, has_deadline: bool) -> Handover {
        match self {
            Protocol::Lmtp => Handover::Final,
            Protocol::Smtp if has_deadline && peer.deliver_by.is_none() => Handover::WithoutDeliverBy,
            Protocol::Smtp if peer.dsn => Handover::WithDsn,
            Protocol::Smtp => Handover::WithoutDsn,
        }
    }
}
