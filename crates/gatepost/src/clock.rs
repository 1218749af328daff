//! The one place that reads the clock. Everything else is told the time.

use jiff::{Timestamp, Unit};

/// The time, in whole milliseconds: what the store keeps, so that a time reads the same before and after.
pub(crate) fn now() -> Timestamp {
    let now = exactly_now();
    now.round(Unit::Millisecond).unwrap_or(now)
}

/// The time as exactly as the system has it, for the log.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub(crate) fn exactly_now() -> Timestamp {
    Timestamp::now()
}

/// Milliseconds since 1970, as identifiers begin with them.
pub(crate) fn unix_ms(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or_default()
}
