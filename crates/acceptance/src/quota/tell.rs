//! What the operator is told of sending limits.

use std::fmt::Display;

use store::Limit;

use super::counter::Full;

/// Four fifths of a limit are used. Told once for each window.
pub(super) fn near_limit(account: &impl Display, limit: Limit, at_most: u32) {
    let limit = limit.name();
    tracing::warn!(
        event = "sending.near-limit",
        account.address = %account,
        limit,
        at_most,
        "four fifths of what {account} may send are used: {limit} = {at_most}"
    );
}

/// Something was refused. Told once for each window.
pub(super) fn limited(account: &impl Display, Full { limit, at_most, wait }: &Full) {
    let (limit, wait_seconds) = (limit.name(), wait.as_secs());
    tracing::warn!(
        event = "sending.limited",
        account.address = %account,
        limit,
        at_most,
        wait.seconds = wait_seconds,
        "{account} has sent as much as it may: {limit} = {at_most}"
    );
}
