//! How many attempts are made at once, whatever the number of destinations.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Messages carried at once on all lanes. This bounds what a crash can leave delivered and not recorded.
const AT_ONCE: usize = 200;
/// Those of lanes whose host did not answer at the last attempt, or was not asked yet. However many hosts are dead or silent, there are
/// others for those that answer.
const UNANSWERED: usize = 150;

/// The permits to make an attempt.
#[derive(Debug)]
pub(super) struct Permits {
    all: Arc<Semaphore>,
    unanswered: Arc<Semaphore>,
}

/// A permit, until it is dropped: once what came of the attempt is recorded.
#[derive(Debug)]
pub(super) struct Permit {
    _one: Option<OwnedSemaphorePermit>,
    _unanswered: Option<OwnedSemaphorePermit>,
}

impl Permits {
    pub(super) fn new() -> Permits {
        Permits { all: Arc::new(Semaphore::new(AT_ONCE)), unanswered: Arc::new(Semaphore::new(UNANSWERED)) }
    }

    /// Waits for a permit; `answers`: whether the host answered at the last attempt.
    pub(super) async fn take(&self, answers: bool) -> Permit {
        // No semaphore is ever closed, so each gives a permit.
        let unanswered = if answers { None } else { self.unanswered.clone().acquire_owned().await.ok() };
        Permit { _one: self.all.clone().acquire_owned().await.ok(), _unanswered: unanswered }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn hosts_that_do_not_answer_leave_permits_for_those_that_do() {
        let permits = Permits::new();
        let (mut silent, mut live) = (Vec::new(), Vec::new());
        let soon = Duration::from_secs(1);
        while let Ok(permit) = timeout(soon, permits.take(false)).await {
            silent.push(permit);
        }
        while let Ok(permit) = timeout(soon, permits.take(true)).await {
            live.push(permit);
        }
        assert_eq!((silent.len(), live.len()), (150, 50));
        silent.pop();
        assert!(timeout(soon, permits.take(false)).await.is_ok());
    }
}
