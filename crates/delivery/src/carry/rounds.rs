//! What the carrier remembers from one look at the queue to the next.

use std::time::Duration;

use store::Destination;
use tokio::time::Instant;

use super::membership::Membership;

/// How often the queue is looked at without being told, for what the command line has changed.
pub(super) const POLL: Duration = Duration::from_secs(2);
/// The least time between two looks at the queue when nothing tells of more.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// What the carrier remembers from one look at the queue to the next.
#[derive(Debug)]
pub(super) struct Rounds {
    pub(super) membership: Membership,
    pub(super) clock_checked: Option<Instant>,
    pub(super) lanes_checked: Option<Instant>,
    pub(super) round: Round,
}

/// The looks that see all destinations in turns, if there are more than one look sees.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Behind which destination the next look begins.
    pub(super) after: Option<Destination>,
    looks: u32,
    /// Whether any of them has leased something.
    pub(super) any_leased: bool,
}

impl Round {
    /// Begins a look: behind which destination.
    pub(super) fn look(&mut self) -> Option<Destination> {
        self.looks += 1;
        self.after.take()
    }

    /// How long to wait after a look that has leased nothing: not for long while there are others to see, or something was leased. Once all
    /// were seen in vain, those that something is due for are full, and wake us when they have room. Nobody does if there `is_short` room in
    /// all: then it is waited four times as long as it took, so that a queue of any length has few looks a second.
    pub(super) fn rest(&mut self, is_short: bool) -> Duration {
        if self.after.is_some() {
            return TICK;
        }
        let Round { looks, any_leased, .. } = std::mem::take(self);
        match (any_leased, is_short) {
            (true, _) => TICK,
            (false, true) => POLL.min(4 * looks * TICK),
            (false, false) => POLL,
        }
    }
}

impl Rounds {
    pub(super) fn new(membership: Membership) -> Rounds {
        Rounds { membership, clock_checked: None, lanes_checked: None, round: Round::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long is waited after each look of a queue that has so many pages.
    fn rests(round: &mut Round, pages: usize, is_short: bool) -> Vec<Duration> {
        let look = |page| {
            round.look();
            round.after = (page + 1 < pages).then(|| "there".into());
            round.rest(is_short)
        };
        (0..pages).map(look).collect()
    }

    #[test]
    fn what_was_seen_in_vain_is_seen_again_after_a_while() {
        let mut round = Round::default();
        assert_eq!(rests(&mut round, 3, false), [TICK, TICK, POLL]);
        assert_eq!(rests(&mut round, 3, true), [TICK, TICK, 12 * TICK]);
        assert_eq!(rests(&mut round, 1, true), [4 * TICK]);
        assert_eq!(rests(&mut round, 100, true)[99], POLL);
        round.any_leased = true;
        assert_eq!(rests(&mut round, 2, true), [TICK, TICK]);
        assert_eq!(rests(&mut round, 1, false), [POLL]);
    }
}
