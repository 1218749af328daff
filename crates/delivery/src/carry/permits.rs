//! How many attempts are made at once, whatever the number of destinations.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::host_state::HostState;

/// Messages carried at once on all lanes. This bounds what a crash can leave delivered and not recorded.
const AT_ONCE: usize = 200;
/// Those of lanes whose host did not answer at the last attempt. However many hosts are dead or silent, there are others for those that
/// answer, and for those that were not asked yet.
const FAILING: usize = 70;
/// Those of lanes whose host was not asked yet, and may be dead as well: enough for a message to sixty new domains to go to all of them at once.
const UNKNOWN: usize = 80;

/// The permits to make an attempt.
#[derive(Debug)]
pub(super) struct Permits {
    all: Arc<Semaphore>,
    failing: Arc<Semaphore>,
    unknown: Arc<Semaphore>,
}

/// A permit, until it is dropped: once what came of the attempt is recorded.
#[derive(Debug)]
pub(super) struct Permit {
    _one: Option<OwnedSemaphorePermit>,
    _of_its_kind: Option<OwnedSemaphorePermit>,
}

impl Permits {
    pub(super) fn new() -> Permits {
        let [all, failing, unknown] = [AT_ONCE, FAILING, UNKNOWN].map(|most| Arc::new(Semaphore::new(most)));
        Permits { all, failing, unknown }
    }

    /// Waits for a permit for a host in this state.
    pub(super) async fn take(&self, host_state: &HostState) -> Permit {
        let kind = match host_state {
            HostState::Answers => None,
            HostState::Unknown => Some(&self.unknown),
            HostState::Fails(_) => Some(&self.failing),
        };
        // No semaphore is ever closed, so each gives a permit.
        let of_its_kind = match kind {
            Some(kind) => kind.clone().acquire_owned().await.ok(),
            None => None,
        };
        Permit { _one: self.all.clone().acquire_owned().await.ok(), _of_its_kind: of_its_kind }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::carry::failure::Failure;

    #[tokio::test(start_paused = true)]
    async fn hosts_that_do_not_answer_leave_permits_for_new_ones_and_those_that_do() {
        let permits = Permits::new();
        let soon = Duration::from_secs(1);
        let mut taken = Vec::new();
        let fails = HostState::Fails(Failure::just_now());
        for host_state in [&fails, &HostState::Unknown, &HostState::Answers] {
            let mut of_this = Vec::new();
            while let Ok(permit) = timeout(soon, permits.take(host_state)).await {
                of_this.push(permit);
            }
            taken.push(of_this);
        }
        assert_eq!(taken.iter().map(Vec::len).collect::<Vec<_>>(), [70, 80, 50]);
        taken[0].pop();
        assert!(timeout(soon, permits.take(&fails)).await.is_ok());
    }
}
