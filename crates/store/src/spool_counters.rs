//! What is counted of commits to the queue, for whoever watches the server.

use std::time::Duration;

use types::{Buckets, Counter};

/// Counts since the store was opened.
#[derive(Debug)]
pub struct SpoolCounters {
    /// How long each commit took, with its sync.
    pub commit_time: Buckets,
    /// How much was committed together each time.
    pub committed_together: Buckets,
    /// How often what was to be written could not be.
    pub errors: Counter,
}

impl Default for SpoolCounters {
    fn default() -> Self {
        Self {
            commit_time: Buckets::of_time(),
            committed_together: Buckets::of_numbers(),
            errors: Counter::default(),
        }
    }
}

impl SpoolCounters {
    /// Counts one commit of so many changes.
    pub fn committed(&self, changes: usize, took: Duration) {
        self.commit_time.add_time(took);
        self.committed_together.add(changes as u64);
    }
}
