//! The runtime: threads that wait for whatever has to be waited for.

use std::future::Future;

/// Starts the runtime, and ends it with `work`. No thread of it is there before.
///
/// # Errors
/// Those of `work`, or when no threads can be had.
pub(crate) fn block_on(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(work)
}
