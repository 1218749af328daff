//! Notes that gather in memory, and are written together a little later.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

/// How long notes gather.
const GATHER: Duration = Duration::from_secs(1);

/// Has notes written a second after `noted` was told that there are some, until their last holder lets go of them. What could not be written is
/// tried again within a minute.
pub(crate) fn start<N, W>(
    notes: &Arc<N>,
    noted: fn(&N) -> &Notify,
    write: impl Fn(Arc<N>) -> W + Send + 'static,
) where
    N: Send + Sync + 'static,
    W: Future<Output = ()> + Send + 'static,
{
    let held = Arc::downgrade(notes);
    tokio::spawn(async move {
        while let Some(notes) = held.upgrade() {
            // Wakes up now and then to see whether anybody still holds the notes.
            let told = timeout(GATHER * 60, noted(&notes).notified()).await;
            drop(notes);
            if told.is_ok() {
                sleep(GATHER).await;
            }
            let Some(notes) = held.upgrade() else { break };
            write(notes).await;
        }
    });
}
