//! What this process carries now. A lease ends by the clock, which may be set; this doesn't.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use types::QueueId;

/// The messages in hand. To each belongs whether it was leased again meanwhile.
#[derive(Debug, Clone, Default)]
pub(crate) struct InHand(Arc<Mutex<HashMap<QueueId, bool>>>);

/// Keeps a message in hand until it is dropped.
#[derive(Debug)]
pub(crate) struct Hand {
    id: QueueId,
    all: InHand,
}

impl InHand {
    /// Takes a message in hand; `None` if it is there already, which its holder is told in the end.
    pub(crate) fn take(&self, id: QueueId) -> Option<Hand> {
        let mut all = self.all();
        if let Some(again) = all.get_mut(&id) {
            *again = true;
            return None;
        }
        all.insert(id, false);
        Some(Hand { id, all: self.clone() })
    }

    fn all(&self) -> MutexGuard<'_, HashMap<QueueId, bool>> {
        // Nothing done under this lock can be left half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hand {
    /// Lets go of the message; whether it was leased again meanwhile, and nobody carries it under that lease.
    pub(crate) fn let_go(&self) -> bool {
        self.all.all().remove(&self.id).unwrap_or(false)
    }
}

/// Also when a worker panics: the message must not stay in hand for ever.
impl Drop for Hand {
    fn drop(&mut self) {
        let _ = self.let_go();
    }
}
