//! What the carrier remembers from one look at the queue to the next.

use std::time::Duration;

use store::Destination;
use tokio::time::Instant;

use super::membership::Membership;

/// How often the queue is looked at without being told, for what the command line has changed.
pub(super) const POLL: Duration = Duration::from_secs(2);

/// What the carrier remembers from one look at the queue to the next.
#[derive(Debug)]
pub(super) struct Rounds {
    pub(super) membership: Membership,
    pub(super) clock_checked: Option<Instant>,
    pub(super) lanes_checked: Option<Instant>,
    /// Behind which destination the next look begins, if there are more than one look sees.
    pub(super) turn: Option<Destination>,
}

impl Rounds {
    pub(super) fn new(membership: Membership) -> Rounds {
        Rounds { membership, clock_checked: None, lanes_checked: None, turn: None }
    }
}
