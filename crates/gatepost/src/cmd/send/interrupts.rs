//! Ctrl-C and SIGTERM: the first ends the run after the message under way, the second at once.

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How often somebody has asked to stop.
#[derive(Clone, Debug)]
pub(crate) struct Interrupts(watch::Receiver<u32>);

impl Interrupts {
    /// Watches from now on.
    ///
    /// # Errors
    /// When the system has no room for it.
    pub(crate) fn watch() -> anyhow::Result<Interrupts> {
        let signals = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
        let [interrupt, terminate] = signals;
        let (mut interrupt, mut terminate) =
            (interrupt.context("cannot watch for Ctrl-C")?, terminate.context("cannot watch for SIGTERM")?);
        let (count, counted) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                count.send_modify(|count| *count += 1);
            }
        });
        Ok(Interrupts(counted))
    }

    /// Waits until somebody has asked so often.
    pub(crate) async fn times(&self, wanted: u32) {
        let mut counted = self.0.clone();
        if counted.wait_for(|count| *count >= wanted).await.is_err() {
            // Nobody watches any more, so nobody can ask.
            std::future::pending::<()>().await;
        }
    }
}
