//! What a client is told when its message can't be kept.

use esmtp::Rejection;
use store::SpoolError;

/// The client learns that it should try again; the operator learns why.
pub(crate) fn not_stored(error: SpoolError) -> Rejection {
    let cause: &dyn std::error::Error = &error;
    match error {
        SpoolError::Full => {
            tracing::warn!(event = "spool.full", "no space is left for mail; clients are told to try again");
            Rejection::StorageFull
        }
        SpoolError::Failing(_) | SpoolError::Corrupt(_) | SpoolError::Duplicate(_) => {
            tracing::error!(event = "spool.failing", error = cause, "a message could not be kept");
            Rejection::StorageFailing
        }
    }
}
