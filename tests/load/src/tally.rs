//! What is counted while the load runs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::fault::Fault;

/// Counts and times of one worker, or of all of them once merged.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Of whole sessions, from connecting to the reply to QUIT.
    pub(crate) sessions: Vec<Duration>,
    /// Of messages, from MAIL to the 250 after the final dot.
    pub(crate) messages: Vec<Duration>,
    /// Octets of messages accepted, as on the wire.
    pub(crate) octets: u64,
    /// Sessions that ended early, by kind.
    pub(crate) faults: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn session(&mut self, took: Duration) {
        self.sessions.push(took);
    }

    pub(crate) fn message(&mut self, took: Duration, octets: usize) {
        self.messages.push(took);
        self.octets = self.octets.saturating_add(octets as u64);
    }

    pub(crate) fn fault(&mut self, fault: &Fault) {
        *self.faults.entry(fault.to_string()).or_default() += 1;
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.sessions.extend(other.sessions);
        self.messages.extend(other.messages);
        self.octets = self.octets.saturating_add(other.octets);
        for (kind, count) in other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
    }
}

/// The value below which `percent` of the sorted times lie, by nearest rank; zero when there are none.
pub(crate) fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let times: Vec<_> = (1..=10).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(5));
        assert_eq!(percentile(&times, 90), Duration::from_millis(9));
        assert_eq!(percentile(&times, 99), Duration::from_millis(10));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
