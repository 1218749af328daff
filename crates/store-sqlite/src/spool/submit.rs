//! What comes in.

use std::sync::Arc;

use bytes::Bytes;
use store::{Destination, DuplicateKey, NewDelivery, NewReport, Submission};
use types::{EnvelopeRecipient, NodeId};

use super::seal;

/// An entry to be inserted.
#[derive(Debug)]
pub(super) struct Submit {
    pub(super) submission: Arc<Submission>,
    pub(super) size: u64,
    pub(super) content_crc: u32,
    pub(super) envelope_crc: u32,
    pub(super) content: Option<Bytes>,
    deliveries: Arc<[NewDelivery]>,
}

impl Submit {
    pub(super) fn new(
        submission: Arc<Submission>,
        size: u64,
        content_crc: u32,
        content: Option<Bytes>,
        deliveries: Arc<[NewDelivery]>,
    ) -> Self {
        let envelope_crc = seal::of(&submission, size, content_crc);
        Self { submission, size, content_crc, envelope_crc, content, deliveries }
    }

    /// A message of the server's own, in a row whatever its size; it goes where the routes lead once it is leased.
    pub(super) fn report(report: NewReport) -> Self {
        let NewReport { submission, content, .. } = report;
        let deliveries = [NewDelivery::of_all(&submission, Destination::unknown(), None)];
        let (size, crc) = (content.len() as u64, crc32fast::hash(&content));
        Self::new(Arc::new(submission), size, crc, Some(content), deliveries.into())
    }

    /// When it is due first.
    pub(super) fn due_at(&self) -> Option<i64> {
        (!self.submission.held).then(|| self.submission.first_due_at().as_millisecond())
    }

    /// What it is known by if it is handed in again.
    pub(super) fn duplicate_key(&self) -> Option<&DuplicateKey> {
        self.submission.duplicate_key.as_ref()
    }

    /// The node that its deliveries are leased to from the start.
    pub(super) fn owner(&self) -> Option<NodeId> {
        self.deliveries.iter().find_map(|delivery| delivery.owner)
    }

    /// The deliveries of it, each with the entry.
    pub(super) fn deliveries(&self) -> impl Iterator<Item = (&Submit, &NewDelivery)> {
        self.deliveries.iter().map(move |delivery| (self, delivery))
    }

    /// Each recipient with its delivery and its number.
    pub(super) fn recipients(
        &self,
    ) -> impl Iterator<Item = (&Submission, &NewDelivery, u32, &EnvelopeRecipient)> {
        let known = |number: u32| self.submission.recipients.get(usize::try_from(number).ok()?);
        self.deliveries.iter().flat_map(move |delivery| {
            let numbers = delivery.recipients.iter();
            numbers.filter_map(move |number| Some((&*self.submission, delivery, *number, known(*number)?)))
        })
    }
}
