//! Figures that are counted once for a while, as counting goes through all that there is.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// How long figures are good.
const GOOD: Duration = Duration::from_secs(5);

/// Figures, as they were a while ago.
#[derive(Debug)]
pub(crate) struct Recent<T>(Mutex<Option<(Instant, T)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<T: Clone> Recent<T> {
    /// The figures, counted now if they are not good any more. Whoever asks while they are counted waits for them, and counts none.
    ///
    /// # Errors
    /// When they can't be counted.
    pub(crate) async fn counted<E>(&self, count: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.counted_for(GOOD, count).await
    }

    /// As [`counted`](Self::counted), where they are good for so long.
    ///
    /// # Errors
    /// When they can't be counted.
    pub(crate) async fn counted_for<E>(
        &self,
        good: Duration,
        count: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut recent = self.0.lock().await;
        if let Some((at, figures)) = recent.as_ref()
            && at.elapsed() < good
        {
            return Ok(figures.clone());
        }
        let figures = count.await?;
        *recent = Some((Instant::now(), figures.clone()));
        Ok(figures)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn they_are_counted_once_for_a_while_and_again_after_a_failure() {
        let recent = Recent::<u32>::default();
        let counted =
            async |good, figures: Result<u32, ()>| recent.counted_for(good, async { figures }).await;
        let (long, over) = (Duration::from_secs(3600), Duration::ZERO);
        assert_eq!(counted(long, Err(())).await, Err(()));
        assert_eq!(counted(long, Ok(1)).await, Ok(1));
        assert_eq!(counted(long, Ok(2)).await, Ok(1));
        assert_eq!(counted(over, Ok(3)).await, Ok(3));
    }
}
