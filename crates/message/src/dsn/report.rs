//! What a report tells.

use std::fmt;

use jiff::Timestamp;
use types::{ForwardPath, Mailbox, OriginalRecipient, QueueId, ReportEvent};

/// A report about one message.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// The name of this server.
    pub hostname: &'a str,
    /// Under which the report is queued. It is in its boundary, which no message from before can hold.
    pub id: QueueId,
    /// When it is written.
    pub now: Timestamp,
    /// The reverse-path of the message, which the report goes to.
    pub to: &'a Mailbox,
    /// When the message was accepted.
    pub accepted_at: Timestamp,
    /// What the message calls itself, with its angle brackets.
    pub message_id: Option<&'a str>,
    /// What its sender calls its envelope: ENVID, decoded (RFC 3461 section 4.4).
    pub envid: Option<&'a str>,
    /// When it may leave at the earliest, if its sender has had it held (RFC 4865).
    pub held_until: Option<Timestamp>,
    /// By when its sender wants it delivered (RFC 2852).
    pub deliver_by: Option<Timestamp>,
    /// Whom it is about.
    pub recipients: &'a [ReportedRecipient<'a>],
    /// What of the message comes back.
    pub original: Original<'a>,
}

/// What became of one recipient.
#[derive(Debug, Clone)]
pub struct ReportedRecipient<'a> {
    /// Where the message went.
    pub path: &'a ForwardPath,
    /// Whom the sender had named: ORCPT (RFC 3461 section 4.2).
    pub original: Option<&'a OriginalRecipient>,
    /// What happened.
    pub event: ReportEvent,
    /// Until when it is tried, if it is late.
    pub retry_until: Option<Timestamp>,
    /// The same as a code.
    pub status: Status,
    /// The host that was asked, if one was.
    pub host: Option<&'a str>,
    /// What that host said, or what we say about the last attempt.
    pub reply: Option<&'a str>,
    /// Whether the reply is the host's own.
    pub said_by_host: bool,
    /// When it was last tried.
    pub last_attempt_at: Option<Timestamp>,
}

/// An enhanced status code (RFC 3463): class, subject, detail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub u8, pub u16, pub u16);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// What of the message comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Original<'a> {
    /// Nothing: it can't be read.
    Nothing,
    /// Its header section.
    Header(&'a [u8]),
    /// All of it.
    Whole(&'a [u8]),
}

impl Original<'_> {
    /// The most octets that come back: a longer message is not returned whole, and of a longer header its end is left out.
    pub const MAX_OCTETS: usize = 50 * 1024;
}
