//! The queue in figures, counted once for a while: counting goes through all that waits.

use std::time::Duration;

use store::{Spool as _, SpoolError, Stats};
use stores::Spool;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long figures are good.
const GOOD: Duration = Duration::from_secs(5);

/// The queue in figures, as they were a few seconds ago.
#[derive(Debug, Default)]
pub(crate) struct RecentStats(Mutex<Option<(Instant, Stats)>>);

impl RecentStats {
    /// The figures. Whoever asks while they are counted waits for them, and counts none.
    ///
    /// # Errors
    /// When the queue can't be read.
    pub(crate) async fn of(&self, spool: &Spool) -> Result<Stats, SpoolError> {
        let mut recent = self.0.lock().await;
        if let Some((at, stats)) = recent.as_ref()
            && at.elapsed() < GOOD
        {
            return Ok(*stats);
        }
        let stats = spool.stats().await?;
        *recent = Some((Instant::now(), stats));
        Ok(stats)
    }
}
