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
    /// at once, without another look at the queue, if its lane has room; otherwise when its turn comes.
    ///
    /// # Errors
    /// Nothing of the message is kept.
    pub async fn commit(
        &self,
        mut submission: Submission,
        incoming: S::Incoming,
    ) -> Result<Durable, SpoolError> {
        let deliveries = self.carrier.plan(&mut submission);
        let (id, waiting) = (submission.id, waiting(&submission, &deliveries));
        let leased = self.spool().commit(submission, incoming, deliveries).await?;
        self.carrier.committed(leased, &waiting);
        Ok(Durable::after_sync(id))
    }
}

/// The destinations that are to be leased from the queue.
fn waiting(submission: &Submission, deliveries: &[NewDelivery]) -> Vec<Destination> {
    let waiting = deliveries.iter().filter(|delivery| delivery.owner.is_none() && !submission.held);
    waiting.map(|delivery| delivery.destination.clone()).collect()
}
