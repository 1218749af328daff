//! Why something is not accepted, as whoever decides says it. What the client is told is in [`reply`](crate::reply).

use std::time::Duration;

use sasl::RefusalReply;
use types::{Mailbox, ReversePath};

/// Why a connection, a sender, a recipient or a message is not accepted. Each begins with the reply that the client gets; those of
/// 4xx ask it to try again later, those of 5xx not to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// `421 4.7.0`, and the connection closes. There are as many connections as there may be.
    #[error("too many connections")]
    TooManyConnections,
    /// `530 5.7.0`. The client has to log in, after all.
    #[error("login is required")]
    LoginRequired,
    /// `550 5.7.1`. Who has not logged in may not send to this recipient.
    #[error("mail to this recipient needs a login")]
    RelayDenied,
    /// `553 5.7.1`. The reverse-path is not one of the account's addresses.
    #[error("the sender {0} is not the account's")]
    SenderNotOwned(ReversePath),
    /// `550 5.7.1`. A field of the header, such as From, names somebody else than the account.
    #[error("{address} in {field} is not the account's")]
    FromNotOwned {
        /// The name of the field.
        field: &'static str,
        /// Whom it names.
        address: Mailbox,
    },
    /// `550 5.7.1`. From or Sender has no one reading, or is missing; the text says which.
    #[error("the authors are unclear: {0}")]
    AuthorsUnclear(String),
    /// `554 5.6.0`. The header section is malformed; the text says how.
    #[error("malformed header section: {0}")]
    BadHeader(String),
    /// `554 5.6.0`. Something in the header section can't travel as it is, and can't be repaired; the text says why.
    #[error("{0}")]
    Unrepairable(String),
    /// `554 5.6.0`. A line of the text is too long, and can't be re-encoded; the text says why.
    #[error("a line is too long and cannot be re-encoded: {0}")]
    LongLine(&'static str),
    /// `552 5.3.4`. The header section is larger than the limit.
    #[error("header section too big")]
    HeaderTooBig,
    /// `554 5.6.7`. This header field has octets above 127 that can't be encoded, and SMTPUTF8 was not asked for.
    #[error("the {0} field needs SMTPUTF8")]
    NonAsciiHeader(String),
    /// `554 5.4.6`. The message has passed so many hosts that it must be going round in a circle.
    #[error("too many hops")]
    TooManyHops,
    /// `452 4.3.1`. No room is left to keep the message.
    #[error("no room to keep the message")]
    StorageFull,
    /// `451 4.3.0`. The message could not be kept.
    #[error("the message could not be kept")]
    StorageFailing,
    /// `452 4.3.1`. The account has as much in messages that have not ended as it may.
    #[error("too much of the account's mail has not ended yet")]
    TooMuchUnfinished,
    /// `501 5.5.4`. The message is to be held for longer than messages are (RFC 4865).
    #[error("the message is to be held for too long")]
    HoldTooLong,
    /// `501 5.5.4`. The message is to be held until after it has to be delivered (RFC 4865 section 5.2.2).
    #[error("the message is to be held until after it has to be delivered")]
    HoldPastDelivery,
    /// `450 4.7.1`. The account has sent as much as it may for now.
    #[error("the limit of {limit} {what} is reached")]
    SendingLimit {
        /// How many there may be.
        limit: u32,
        /// Of what, and in which time: `messages an hour`.
        what: &'static str,
        /// When there may be more.
        wait: Duration,
    },
    /// `421 4.7.0`, and the connection closes. The credential that opened the session is no longer valid.
    #[error("the credential is no longer valid")]
    CredentialRevoked,
    /// `451 4.3.0`. Something that is needed for a decision does not answer.
    #[error("temporarily unavailable")]
    Unavailable,
    /// The reply, for a reason and in words of the handler's own.
    #[error("{}", .0.text())]
    Own(RefusalReply),
}

impl Rejection {
    /// The reason in a word that stays the same, for statistics.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooManyConnections => "too-many-connections",
            Self::LoginRequired => "login-required",
            Self::RelayDenied => "relay-denied",
            Self::SenderNotOwned(_) => "sender-not-owned",
            Self::FromNotOwned { .. } => "from-not-owned",
            Self::AuthorsUnclear(_) => "authors-unclear",
            Self::BadHeader(_) => "bad-header",
            Self::Unrepairable(_) => "unrepairable",
            Self::LongLine(_) => "long-line",
            Self::HeaderTooBig => "header-too-big",
            Self::NonAsciiHeader(_) => "non-ascii-header",
            Self::TooManyHops => "too-many-hops",
            Self::StorageFull => "storage-full",
            Self::StorageFailing => "storage-failing",
            Self::TooMuchUnfinished => "too-much-unfinished",
            Self::HoldTooLong => "hold-too-long",
            Self::HoldPastDelivery => "hold-past-delivery",
            Self::SendingLimit { .. } => "sending-limit",
            Self::CredentialRevoked => "credential-revoked",
            Self::Unavailable => "unavailable",
            Self::Own(_) => "own",
        }
    }
}

impl From<RefusalReply> for Rejection {
    fn from(own: RefusalReply) -> Self {
        Self::Own(own)
    }
}
