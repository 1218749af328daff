//! Deliveries, the unit of work: those recipients of a message that go to one destination.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use types::{EnvelopeRecipient, NodeId, QueueId, ReportEvent};

use crate::Submission;

/// No route is written so.
const SENDER: &str = "sender";

/// Where mail goes from here, as text that the store compares and does not read. It is the carrier's to write and to understand, but for
/// [one](Destination::sender).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Destination(Arc<str>);

impl Destination {
    /// Of deliveries whose destination was not known when they were stored, such as those of a queue from before there were deliveries.
    #[must_use]
    pub fn unknown() -> Self {
        Self::from("")
    }

    /// Of what is still to be told to the sender of a message: the recipients of this delivery are those of whom there are
    /// [news](Telling::news). The store makes it, and whoever leases it makes a report.
    #[must_use]
    pub fn sender() -> Self {
        Self::from(SENDER)
    }

    /// Whether it is [that of the news to the sender](Self::sender).
    #[must_use]
    pub fn is_sender(&self) -> bool {
        self.as_str() == SENDER
    }

    /// The text of the destination.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same text, shared.
    #[must_use]
    pub fn to_shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl From<&str> for Destination {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Destination {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A delivery of a message that is being committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Where it goes. No other delivery of the message goes there.
    pub destination: Destination,
    /// The numbers of its recipients, each of which is in one delivery.
    pub recipients: Vec<u32>,
    /// The node that has it leased from the start, if one can carry it at once.
    pub owner: Option<NodeId>,
}

impl NewDelivery {
    /// The only delivery of a message whose recipients all go to one destination.
    #[must_use]
    pub fn of_all(submission: &Submission, destination: Destination, owner: Option<NodeId>) -> Self {
        let recipients = (0..).zip(&submission.recipients).map(|(number, _)| number).collect();
        Self { destination, recipients, owner }
    }
}

/// Which delivery.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryKey {
    /// The message.
    pub entry: QueueId,
    /// Where it goes.
    pub destination: Destination,
}

/// Deliveries to one destination that are not leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Where they go.
    pub destination: Destination,
    /// When the first of them is due.
    pub due_at: Timestamp,
}

/// The right to make a delivery. It has no end: it lasts until it is recorded or given back, or its owner is off the list of
/// [`Nodes`](crate::Nodes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// The node that has it.
    pub owner: NodeId,
    /// Greater with each lease of the same delivery, so that a late owner is known as such.
    pub token: i64,
}

/// A lease as the store has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeldLease {
    /// Of which delivery.
    pub delivery: DeliveryKey,
    /// Its [token](Lease::token).
    pub token: i64,
}

/// A delivery that the owner of its lease, and nobody else, may make.
#[derive(Debug, Clone)]
pub struct Leased {
    /// The envelope of the message.
    pub submission: Arc<Submission>,
    /// Where it goes.
    pub destination: Destination,
    /// Those who go there and are due, never empty.
    pub recipients: Vec<Recipient>,
    /// The size of the message in octets.
    pub size: u64,
    /// The right to deliver it.
    pub lease: Lease,
    /// Whether an operator has ended the attempts ([`Operation::Bounce`](crate::Operation::Bounce)): none is to be made, and its sender
    /// is to be told.
    pub returned: bool,
    /// The message, if it is in memory anyway. [`Spool::body`](crate::Spool::body) reads it in either case.
    pub content: Option<Bytes>,
}

impl Leased {
    /// Which delivery it is.
    #[must_use]
    pub fn key(&self) -> DeliveryKey {
        DeliveryKey { entry: self.submission.id, destination: self.destination.clone() }
    }
}

/// A recipient that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// Its place in [`Submission::recipients`].
    pub number: u32,
    /// Where it goes, and what its sender wants to be told about it.
    pub to: EnvelopeRecipient,
    /// How often delivery was tried before.
    pub attempts: u32,
    /// Whether its sender was told before that it failed, and an operator has had it tried again.
    pub told: bool,
    /// Whether its sender was told that it is late.
    pub delay_told: bool,
}

/// What the sender of a message is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// Of whom (by number) there is news, and what. Of each recipient the latest counts.
    pub news: Vec<(u32, ReportEvent)>,
    /// When they are told at the latest; sooner once no other recipient of the message is to be tried before.
    pub by: Timestamp,
    /// What tells all of it now. Otherwise it is told by whoever leases the delivery to the [sender](Destination::sender).
    pub report: Option<NewReport>,
}

/// What the sender of a message can be told of one of its recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reportable {
    /// Its place in [`Submission::recipients`].
    pub number: u32,
    /// Where it goes.
    pub destination: Destination,
    /// What is still to be told.
    pub news: Option<ReportEvent>,
    /// Whether it waits for another attempt, and its sender was not told that it is late.
    pub may_be_late: bool,
    /// What the next host last said, or what went wrong before it could.
    pub reply: Option<String>,
    /// The next host.
    pub host: Option<String>,
    /// Whether the host itself said it.
    pub said_by_host: bool,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
}

/// A report to the sender of a message: a message of the server's own, which is committed together with what it tells of. It goes where
/// the routes lead once it is leased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReport {
    /// Its envelope. Its reverse-path is null (RFC 3464 section 2).
    pub submission: Submission,
    /// Its text.
    pub content: Bytes,
    /// The recipients (by number) of whom it tells that they are late, so that it is not told again.
    pub late: Vec<u32>,
}

/// What became of a record of outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// All of it is kept.
    Kept,
    /// All of it but the report, which is not true of all that it is about, or was made before. What is news of it is told later.
    KeptWithoutReport,
    /// The lease was no longer the caller's. Of the outcomes "delivered" is kept, as it is true whoever says it, with the news of it, and
    /// nothing else.
    TakenOver,
}
