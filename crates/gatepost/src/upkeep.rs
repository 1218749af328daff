//! What the server forgets by itself, in the background: whatever is kept for a while only.

use std::time::Duration;

use jiff::SignedDuration;
use store::{Audit, Throttles};
use tokio_util::sync::CancellationToken;

use crate::clock;

/// How long a network is familiar to an account after a login from there.
const FAMILIAR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Often enough that little is forgotten at a time.
const EVERY: Duration = Duration::from_secs(60);

/// Forgets what is too old, until it is told to stop.
pub(crate) async fn run(store: impl Audit + Throttles, audit: config::Audit, stop: CancellationToken) {
    while stop.run_until_cancelled(tidy(&store, audit)).await.is_some() {
        stop.run_until_cancelled(tokio::time::sleep(EVERY)).await;
    }
}

async fn tidy(store: &(impl Audit + Throttles), audit: config::Audit) {
    if let Err(error) = forget(store, audit).await {
        let error: &dyn std::error::Error = error.as_ref();
        tracing::warn!(event = "store.failing", error, "what is too old could not be forgotten");
    }
}

async fn forget(store: &(impl Audit + Throttles), audit: config::Audit) -> anyhow::Result<()> {
    let now = clock::now();
    store.prune(now.checked_sub(SignedDuration::try_from(audit.keep)?)?).await?;
    store.prune_throttles(now, now.checked_sub(FAMILIAR)?).await?;
    Ok(())
}
