//! What a session hands in, and what the delivering side gets hold of.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use types::{AccountId, BodyType, ForwardPath, QueueId, ReversePath};

/// The envelope of an accepted message, and who handed it in.
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
    pub forward_paths: Vec<ForwardPath>,
    /// Whether the body has octets above 127 (RFC 6152): found out when it came, whatever MAIL declared.
    pub body: BodyType,
    /// Whether the header has octets above 127, and so needs SMTPUTF8 (RFC 6531): found out when it came, whatever MAIL
    /// declared. What the paths need is seen of them.
    pub smtputf8: bool,
    /// Whether it is re-encoded when it leaves, whichever way: a line of its body is too long (RFC 5321 section 4.5.3.1.6), or the
    /// header of one of its parts has raw octets above 127.
    pub must_be_rewritten: bool,
    /// When it was accepted; the retry schedule counts from here.
    pub accepted_at: Timestamp,
    /// Whether it waits for an operator instead of being delivered.
    pub held: bool,
    /// What the message calls itself: its Message-ID with angle brackets (RFC 5322 section 3.6.4), if it has one.
    pub message_id: Option<String>,
    /// The credential that it was handed in with, as [`AuditEvent`](crate::AuditEvent) has it; `None` without a login.
    pub credential: Option<String>,
}

/// The right to deliver an entry, for one owner, until a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The delivering node.
    pub owner: Arc<str>,
    /// When another owner may take the entry over.
    pub until: Timestamp,
}

/// An entry that its holder, and nobody else, may deliver until the lease ends.
#[derive(Debug, Clone)]
pub struct Leased {
    /// The envelope.
    pub submission: Arc<Submission>,
    /// The recipients that are due, never empty.
    pub recipients: Vec<Recipient>,
    /// The size of the message in octets.
    pub size: u64,
    /// The right to deliver it.
    pub lease: Lease,
    /// The message, if it is in memory anyway. [`Spool::body`](crate::Spool::body) reads it in either case.
    pub content: Option<Bytes>,
}

/// A recipient that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Its place in [`Submission::forward_paths`].
    pub number: u32,
    /// Where it goes.
    pub forward_path: ForwardPath,
    /// How often delivery was tried before.
    pub attempts: u32,
}
