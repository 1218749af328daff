//! What this process carries now, beside what the store says that it has leased.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store::{DeliveryKey, HeldLease, Leased};

use crate::parcel::Parcel;

/// The deliveries in hand, each with the token of its lease.
#[derive(Debug, Clone, Default)]
pub(crate) struct InHand(Arc<Mutex<HashMap<DeliveryKey, i64>>>);

/// Keeps a delivery in hand until it is dropped, also when a worker panics.
#[derive(Debug)]
pub(crate) struct Hand {
    delivery: DeliveryKey,
    all: InHand,
}

/// A parcel in hand.
#[derive(Debug)]
pub(crate) struct Carried {
    pub(crate) parcel: Parcel,
    _hand: Hand,
}

impl Carried {
    pub(crate) fn new(parcel: Parcel, hand: Hand) -> Carried {
        Carried { parcel, _hand: hand }
    }
}

impl InHand {
    /// Takes a delivery in hand; `None` if it is there already under an earlier lease: two attempts at once would be two copies.
    pub(crate) fn take(&self, leased: &Leased) -> Option<Hand> {
        let delivery = leased.key();
        let mut all = self.all();
        if all.contains_key(&delivery) {
            return None;
        }
        all.insert(delivery.clone(), leased.lease.token);
        Some(Hand { delivery, all: self.clone() })
    }

    /// Those leases that nobody here works under.
    pub(crate) fn forgotten(&self, leases: Vec<HeldLease>) -> Vec<HeldLease> {
        let all = self.all();
        leases.into_iter().filter(|lease| all.get(&lease.delivery) != Some(&lease.token)).collect()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<DeliveryKey, i64>> {
        // Nothing done under this lock can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.all.all().remove(&self.delivery);
    }
}
