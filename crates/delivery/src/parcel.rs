//! What is carried, and what an attempt to carry it came to.

use bytes::Bytes;
use esmtp::dialogue::{Reply, Verdict};
use store::{Leased, Recipient};

use crate::carry::in_hand::Hand;

/// A leased message, and those of its recipients that take one way.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) leased: Leased,
    pub(crate) recipients: Vec<Recipient>,
    pub(crate) hand: Hand,
}

impl Parcel {
    /// How much of the message is in memory.
    pub(crate) fn octets(&self) -> usize {
        self.leased.content.as_ref().map_or(0, Bytes::len)
    }
}

/// What an attempt came to: one verdict for each recipient of the parcel, in their order.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) verdicts: Vec<Verdict>,
    /// Who was asked.
    pub(crate) host: Option<String>,
}

impl Attempt {
    /// The same verdict for every recipient.
    pub(crate) fn all(parcel: &Parcel, host: Option<String>, verdict: &Verdict) -> Attempt {
        Attempt { verdicts: vec![verdict.clone(); parcel.recipients.len()], host }
    }

    /// The same temporary answer for every recipient.
    pub(crate) fn deferred(parcel: &Parcel, host: Option<String>, reason: &Reply) -> Attempt {
        Attempt::all(parcel, host, &Verdict::Deferred(reason.clone()))
    }
}
