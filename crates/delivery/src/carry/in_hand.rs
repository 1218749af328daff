//! What this process carries now, beside what the store says that it has leased.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::{DeliveryKey, HeldLease, Leased};
use types::QueueId;

use crate::parcel::Parcel;

/// The deliveries in hand.
#[derive(Debug, Clone, Default)]
pub(crate) struct InHand(Arc<Mutex<HashMap<DeliveryKey, Tokens>>>);

/// The tokens of the leases of a delivery in hand.
#[derive(Debug)]
struct Tokens {
    /// Of the lease that it is carried under.
    present: i64,
    /// Of one that was taken meanwhile: the lease had ended in the store, and the delivery was not out of hand yet.
    again: Option<i64>,
    /// Whether an operator has ended it.
    called_off: bool,
}

/// Keeps a delivery in hand until it is dropped, also when a worker panics.
#[derive(Debug)]
pub(crate) struct Hand {
    delivery: DeliveryKey,
    token: i64,
    all: InHand,
}

/// A parcel in hand.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) parcel: Parcel,
    hand: Hand,
}

impl Carried {
    pub(crate) fn new(parcel: Parcel, hand: Hand) -> Carried {
        Carried { parcel, hand }
    }

    /// Whether no attempt is to begin: an operator has ended the delivery, or the store has lent it anew.
    pub(crate) fn is_called_off(&self) -> bool {
        let all = self.hand.all.all();
        all.get(&self.hand.delivery).is_some_and(|tokens| tokens.called_off || tokens.again.is_some())
    }

    /// As [`Hand::let_go`].
    pub(crate) fn let_go(self) -> Option<HeldLease> {
        self.hand.let_go()
    }
}

impl InHand {
    /// Takes a delivery in hand; `None` if it is there already under an earlier lease: two attempts at once would be two copies. Whoever
    /// has it in hand is told of this lease in the end.
    pub(crate) fn take(&self, leased: &Leased) -> Option<Hand> {
        let delivery = leased.key();
        let mut all = self.all();
        if let Some(tokens) = all.get_mut(&delivery) {
            tokens.again = Some(leased.lease.token);
            return None;
        }
        let token = leased.lease.token;
        all.insert(delivery.clone(), Tokens { present: token, again: None, called_off: false });
        Some(Hand { delivery, token, all: self.clone() })
    }

    /// How many deliveries are in hand.
    pub(crate) fn len(&self) -> usize {
        self.all().len()
    }

    /// Calls off whatever is in hand of these messages.
    pub(crate) fn call_off(&self, messages: &HashSet<QueueId>) {
        let mut all = self.all();
        let theirs = all.iter_mut().filter(|(delivery, _)| messages.contains(&delivery.entry));
        theirs.for_each(|(_, tokens)| tokens.called_off = true);
    }

    /// Those leases that nobody here knows of.
    pub(crate) fn forgotten(&self, mut leases: Vec<HeldLease>) -> Vec<HeldLease> {
        let all = self.all();
        leases.retain(|lease| {
            let tokens = all.get(&lease.delivery);
            !tokens.is_some_and(|known| known.present == lease.token || known.again == Some(lease.token))
        });
        leases
    }

    fn all(&self) -> MutexGuard<'_, HashMap<DeliveryKey, Tokens>> {
        // Nothing done under this lock can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hand {
    /// Lets go of the delivery. A lease that was taken of it meanwhile is to be given back: nobody works under it.
    pub(crate) fn let_go(self) -> Option<HeldLease> {
        let token = self.remove()?.again?;
        Some(HeldLease { delivery: self.delivery.clone(), token })
    }

    /// Leaves it alone if it is in other hands by now.
    fn remove(&self) -> Option<Tokens> {
        let mut all = self.all.all();
        let is_ours = all.get(&self.delivery).is_some_and(|tokens| tokens.present == self.token);
        is_ours.then(|| all.remove(&self.delivery)).flatten()
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use store::{Lease, Submission};
    use types::{AccountId, NodeId, ReversePath};

    use super::*;

    fn leased(token: i64) -> Leased {
        let (id, account) = (QueueId::new(1, [0; 10]), AccountId::new(1, [0; 10]));
        let submission = Submission::new(id, account, "", ReversePath::Null, Timestamp::UNIX_EPOCH);
        Leased {
            submission: Arc::new(submission),
            destination: "there".into(),
            recipients: Vec::new(),
            size: 0,
            lease: Lease { owner: NodeId::from_bytes([1; 16]), token },
            returned: false,
            content: None,
        }
    }

    #[test]
    fn nothing_is_in_hand_twice_and_no_lease_is_forgotten_for_that() {
        let in_hand = InHand::default();
        let lease = |token| HeldLease { delivery: leased(token).key(), token };
        let hand = in_hand.take(&leased(1)).unwrap();
        assert!(in_hand.take(&leased(2)).is_none());
        assert_eq!(in_hand.forgotten(vec![lease(1), lease(2), lease(3)]), [lease(3)]);
        assert_eq!(hand.let_go(), Some(lease(2)));
        let hand = in_hand.take(&leased(3)).unwrap();
        assert_eq!(hand.let_go(), None);
        drop(in_hand.take(&leased(4)).unwrap());
        assert_eq!(in_hand.forgotten(vec![lease(4)]), [lease(4)]);
    }
}
