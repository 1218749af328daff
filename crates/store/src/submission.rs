//! What a session hands in.

use std::borrow::Cow;
use std::net::IpAddr;

use jiff::Timestamp;
use types::{
    AccountId, BodyType, ByMode, DeliverBy, EnvelopeRecipient, Priority, QueueId, Ret, ReversePath,
    SessionId, TlsRequired,
};

use crate::DuplicateKey;

/// The envelope of an accepted message, who handed it in, and how. Of a message that was accepted by an older version, not all of it
/// is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// The id told in the 250 reply.
    pub id: QueueId,
    /// Who handed it in.
    pub account: AccountId,
    /// The address of that account at the time; the account may be renamed or removed later.
    pub account_address: String,
    /// Where reports about it go.
    pub reverse_path: ReversePath,
    /// Where it goes. A recipient's number is its place here, from 0.
    pub recipients: Vec<EnvelopeRecipient>,
    /// Whether the body has octets above 127 (RFC 6152): found out when it came, whatever MAIL declared. Binary (RFC 3030) is what was
    /// declared so, and is more than lines that any host takes.
    pub body: BodyType,
    /// Whether the header has octets above 127, and so needs SMTPUTF8 (RFC 6531): found out when it came, whatever MAIL
    /// declared. What the paths need is seen of them.
    pub smtputf8: bool,
    /// Whether it is re-encoded when it leaves, whichever way: a line of its body is too long (RFC 5321 section 4.5.3.1.6), or the
    /// header of one of its parts has raw octets above 127.
    pub must_be_rewritten: bool,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// When it may leave at the earliest, if that is later than it was accepted.
    pub not_before: Option<Timestamp>,
    /// By when it is to be delivered, if its sender has said so (RFC 2852).
    pub deliver_by: Option<Deadline>,
    /// Which of the messages that wait for one destination comes first (RFC 6710).
    pub priority: Priority,
    /// What its sender wants of TLS on its way (RFC 8689).
    pub tls_required: TlsRequired,
    /// Whether it waits for an operator instead of being delivered.
    pub held: bool,
    /// What the message calls itself: its Message-ID with angle brackets (RFC 5322 section 3.6.4), if it has one.
    pub message_id: Option<String>,
    /// What of it comes back in a notification that it can't be delivered, if its sender has said so (RFC 3461 section 4.3).
    pub ret: Option<Ret>,
    /// What its sender calls this envelope in notifications, decoded (RFC 3461 section 4.4).
    pub envid: Option<Box<str>>,
    /// The credential that it was handed in with, as [`AuditEvent`](crate::AuditEvent) has it; `None` without a login.
    pub credential: Option<String>,
    /// The session that it was handed in in.
    pub session: Option<SessionId>,
    /// Where the client of that session connected from.
    pub ip: Option<IpAddr>,
    /// The version of TLS that the session was protected by, such as `TLSv1.3`; `None` without TLS.
    pub tls_version: Option<Cow<'static, str>>,
    /// The cipher suite of that TLS, such as `TLS_AES_128_GCM_SHA256`.
    pub tls_cipher: Option<Cow<'static, str>>,
    /// What it is known by if it is handed in again; `None` if it is never taken for the same. It is not kept with the entry.
    pub duplicate_key: Option<DuplicateKey>,
}

/// By when a message is to be delivered, and what is to be done otherwise (RFC 2852).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// When its time is over.
    pub at: Timestamp,
    /// What is to be done then.
    pub mode: ByMode,
    /// Its sender wants to know whenever it is passed on.
    pub trace: bool,
}

impl Deadline {
    /// Whether the time is over, and this is what is to be done then.
    #[must_use]
    pub fn is_over(&self, mode: ByMode, now: Timestamp) -> bool {
        self.mode == mode && self.at <= now
    }

    /// What is left of it, for the next host: in whole seconds, and no more.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> DeliverBy {
        const MOST: i64 = 999_999_999;
        let seconds = self.at.duration_since(now).as_secs().clamp(-MOST, MOST);
        DeliverBy { seconds: i32::try_from(seconds).unwrap_or(i32::MAX), mode: self.mode, trace: self.trace }
    }

    /// The mode as it is stored: `R` or `N`, with `T` for trace.
    #[must_use]
    pub fn mode_name(&self) -> String {
        format!("{}{}", self.mode.letter(), if self.trace { "T" } else { "" })
    }
}

impl Submission {
    /// A message of which nothing more is known, without recipients.
    #[must_use]
    pub fn new(
        id: QueueId,
        account: AccountId,
        account_address: impl Into<String>,
        reverse_path: ReversePath,
        accepted_at: Timestamp,
    ) -> Self {
        Self {
            id,
            account,
            account_address: account_address.into(),
            reverse_path,
            recipients: Vec::new(),
            body: BodyType::SevenBit,
            smtputf8: false,
            must_be_rewritten: false,
            accepted_at,
            not_before: None,
            deliver_by: None,
            priority: Priority::NORMAL,
            tls_required: TlsRequired::Unsaid,
            held: false,
            message_id: None,
            ret: None,
            envid: None,
            credential: None,
            session: None,
            ip: None,
            tls_version: None,
            tls_cipher: None,
            duplicate_key: None,
        }
    }

    /// When its recipients are due first; the retry schedule counts from here.
    #[must_use]
    pub fn first_due_at(&self) -> Timestamp {
        self.not_before.map_or(self.accepted_at, |not_before| not_before.max(self.accepted_at))
    }
}
