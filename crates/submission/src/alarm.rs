//! The one timer of a connection.
//!
//! A deadline moves with every command, but hardly ever passes. So the timer is set anew only when it rings, or when
//! a deadline is nearer than what it is set to; all other changes cost nothing.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

/// The time was over first.
#[derive(Debug)]
pub(crate) struct Elapsed;

pub(crate) struct Alarm {
    sleep: Pin<Box<Sleep>>,
}

impl Alarm {
    /// An alarm that is first set to `at`, which should be the nearest deadline that is known.
    pub(crate) fn new(at: Instant) -> Self {
        Self { sleep: Box::pin(sleep_until(at)) }
    }

    /// Ready once `deadline` has passed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if deadline < self.sleep.deadline() {
            self.sleep.as_mut().reset(deadline);
        }
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            if self.sleep.deadline() >= deadline {
                return Poll::Ready(());
            }
            self.sleep.as_mut().reset(deadline);
        }
    }

    /// Does `work`, unless `deadline` passes first. Work that is done at once never touches the timer.
    pub(crate) async fn within<T>(
        &mut self,
        deadline: Instant,
        work: impl Future<Output = T>,
    ) -> Result<T, Elapsed> {
        let mut work = pin!(work);
        poll_fn(|cx| match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(Ok(done)),
            Poll::Pending => self.poll(cx, deadline).map(|()| Err(Elapsed)),
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    async fn rings_after(alarm: &mut Alarm, wait: Duration) {
        let start = Instant::now();
        let result = alarm.within(start + wait, pending::<()>()).await;
        assert!(result.is_err());
        let late = start.elapsed() - wait;
        assert!(late <= Duration::from_millis(2), "{late:?} late");
    }

    #[tokio::test(start_paused = true)]
    async fn a_deadline_may_be_later_or_nearer_than_what_it_is_set_to() {
        let mut alarm = Alarm::new(Instant::now() + 5 * SECOND);
        rings_after(&mut alarm, 60 * SECOND).await;
        rings_after(&mut alarm, SECOND).await;
        rings_after(&mut alarm, 300 * SECOND).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_that_rang_for_nothing_rings_again() {
        let mut alarm = Alarm::new(Instant::now() + SECOND);
        let work = tokio::time::sleep(30 * SECOND);
        assert!(alarm.within(Instant::now() + 60 * SECOND, work).await.is_ok());
        rings_after(&mut alarm, 2 * SECOND).await;
    }
}
