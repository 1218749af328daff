//! Recipients whose host may have their message: each time it was given the whole text, and answered with what is no reply.
//!
//! That is tried again, like a silence (RFC 1047 says what copies come of it). But a host that takes every copy and garbles every answer would get one at each retry
//! for days; so after a few an operator has to look.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use esmtp::dialogue::Verdict;
use types::QueueId;

/// So many answers of this kind, and the recipient is held.
const ENOUGH: u32 = 3;

/// How often it has happened, in the life of this process.
#[derive(Debug, Default)]
pub(crate) struct Unclear {
    times: Mutex<HashMap<(QueueId, u32), u32>>,
}

impl Unclear {
    /// Whether this verdict on a recipient, by its number, is one too many. The next is the first again.
    pub(crate) fn is_too_often(&self, id: QueueId, number: u32, verdict: &Verdict) -> bool {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (id, number);
        let enough = match verdict {
            Verdict::Unclear(_) => {
                let times = times.entry(key).or_default();
                *times += 1;
                *times >= ENOUGH
            }
            // Perhaps the attempt did not come so far.
            Verdict::Deferred(_) => return false,
            Verdict::Delivered(..) | Verdict::Failed(_) => false,
        };
        if enough || !matches!(verdict, Verdict::Unclear(_)) {
            times.remove(&key);
        }
        enough
    }
}
