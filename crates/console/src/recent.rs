//! Figures that are counted once for a while, as counting goes through all that there is.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long figures are good.
const GOOD: Duration = Duration::from_secs(5);

/// Figures, as they were a few seconds ago.
#[derive(Debug)]
pub(crate) struct Recent<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Copy> Recent<T> {
    /// The figures, counted now if they are not good any more. Whoever asks while they are counted waits for them, and counts none.
    ///
    /// # Errors
    /// When they can't be counted.
    pub(crate) async fn counted<E>(&self, count: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let mut recent = self.0.lock().await;
        if let Some((at, figures)) = recent.as_ref()
            && at.elapsed() < GOOD
        {
            return Ok(*figures);
        }
        let figures = count.await?;
        *recent = Some((Instant::now(), figures));
        Ok(figures)
    }
}
