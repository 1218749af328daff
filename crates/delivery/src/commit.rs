//! From a received message to a durable one: the only place that says `Durable`.

use std::sync::Arc;

use esmtp::Durable;
use store::{Destination, NewDelivery, Spool, SpoolError, Submission};

use crate::carry::Carrier;

/// Makes received messages durable, and hands them over to be carried away.
#[derive(Debug)]
pub struct Committer<S> {
    carrier: Arc<Carrier<S>>,
}

/// A message that is safe.
#[derive(Debug)]
pub enum Committed {
    /// It was made durable now.
    New(Durable),
    /// It was handed in before, which is durable; of this one nothing is kept.
    Duplicate(Durable),
}

impl Committed {
    /// What the client may be told.
    #[must_use]
    pub fn durable(self) -> Durable {
        match self {
            Committed::New(durable) | Committed::Duplicate(durable) => durable,
        }
    }
}

impl<S> Clone for Committer<S> {
    fn clone(&self) -> Self {
        Committer { carrier: self.carrier.clone() }
    }
}

impl<S: Spool> Committer<S> {
    /// Hands what it makes durable to this carrier.
    pub fn new(carrier: Arc<Carrier<S>>) -> Committer<S> {
        Committer { carrier }
    }

    /// Where the message was received into, and is read from.
    pub fn spool(&self) -> &Arc<S> {
        self.carrier.spool()
    }

    /// Returns once the message is on stable storage (RFC 5321 section 6.1), and not a moment earlier. Its delivery begins
    /// at once, without another look at the queue, if its lane has room; otherwise when its turn comes. A message that was handed in before
    /// is not delivered again.
    ///
    /// # Errors
    /// Nothing of the message is kept.
    pub async fn commit(
        &self,
        mut submission: Submission,
        incoming: S::Incoming,
    ) -> Result<Committed, SpoolError> {
        let deliveries = self.carrier.plan(&mut submission);
        let (id, waiting) = (submission.id, waiting(&submission, &deliveries));
        match self.spool().commit(submission, incoming, deliveries).await {
            Ok(leased) => {
                self.carrier.committed(leased, &waiting);
                Ok(Committed::New(Durable::after_sync(id)))
            }
            Err(SpoolError::Duplicate(first)) => Ok(Committed::Duplicate(Durable::after_sync(first))),
            Err(error) => Err(error),
        }
    }
}

/// The destinations that are to be leased from the queue.
fn waiting(submission: &Submission, deliveries: &[NewDelivery]) -> Vec<Destination> {
    let waiting = deliveries.iter().filter(|delivery| delivery.owner.is_none() && !submission.held);
    waiting.map(|delivery| delivery.destination.clone()).collect()
}
